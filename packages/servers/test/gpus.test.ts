import { expect, test } from "vitest";
import { classesOf, classOfProduct } from "../src/gpus.ts";

test.each([
  ["Tesla T4", "T4"],
  ["NVIDIA T4", "T4"],
  ["Tesla V100-SXM2-16GB", "V100"],
  ["NVIDIA A10G", "A10G"],
  ["NVIDIA L40S", "L40S"],
  ["NVIDIA A100-SXM4-40GB", "A100"],
  ["NVIDIA A100-PCIE-40GB", "A100"],
  ["NVIDIA A100-SXM4-80GB", "A100-80GB"],
  ["NVIDIA A100 80GB PCIe", "A100-80GB"],
  ["NVIDIA H100 80GB HBM3", "H100"],
  ["NVIDIA H100 PCIe", "H100"],
  ["NVIDIA H200", "H200"],
  ["NVIDIA B200", "B200"],
  ["NVIDIA GeForce RTX 4090", "RTX-4090"],
  ["NVIDIA GeForce RTX 3080 Ti", "RTX-3080-Ti"],
  ["NVIDIA RTX 6000 Ada Generation", "RTX-6000-Ada"],
  ["Quadro RTX 6000", "RTX-6000"],
  ["NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX-PRO-6000"],
  ["NVIDIA Graphics Device", undefined],
])("%s is of the class %s", (product, name) => {
  expect(classOfProduct(product)).toBe(name);
});

const cards = [
  { index: "0", uuid: "GPU-a", product: "Tesla T4" },
  { index: "1", uuid: "GPU-b", product: "NVIDIA A100-SXM4-80GB" },
  { index: "2", uuid: "GPU-c", product: "Tesla T4" },
];

test("GPUs are in the class that the driver says, by number or by their long names", () => {
  const classes = [
    { name: "T4", devices: ["0", "2"] },
    { name: "A100-80GB", devices: ["1"] },
  ];
  expect(classesOf([{ name: "0" }, { name: "1" }, { name: "2" }], cards)).toEqual(classes);
  expect(classesOf([{ name: "GPU-b" }], cards)).toEqual([{ name: "A100-80GB", devices: ["GPU-b"] }]);
});

test("what stands for all is of a class when all cards are", () => {
  expect(classesOf([{ name: "all" }], cards.slice(2))).toEqual([{ name: "T4", devices: ["all"] }]);
  expect(classesOf([{ name: "all" }], cards)).toEqual([{ name: "gpu", devices: ["all"] }]);
});

test("an annotation comes before the driver, and without either it is a GPU", () => {
  const annotated = { name: "0", annotations: { "dev.lamina.gpu-class": "H100" } };
  expect(classesOf([annotated, { name: "1", annotations: null }], [])).toEqual([
    { name: "H100", devices: ["0"] },
    { name: "gpu", devices: ["1"] },
  ]);
});
