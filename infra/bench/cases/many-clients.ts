import { randomUUID } from "node:crypto";
import { buildImage, connect } from "lamina";
import type { Case } from "../case.ts";
import { shared } from "../images/shared.ts";

const CLIENTS = 20;

export const manyClients: Case = {
  name: "many-clients",
  what: "one new image for several at once",
  ours: "20 clients",
  peer: "one client",
  goal: { kind: "ratio", atMost: 1.2 },
  async prepare({ lamina }) {
    const buildBy = async (count: number): Promise<number> => {
      const clients = await Promise.all(Array.from({ length: count }, () => connect()));
      const image = shared(randomUUID());
      const startedAt = performance.now();
      await Promise.all(clients.map((client) => buildImage(client, image)));
      const milliseconds = performance.now() - startedAt;
      await lamina.idle();
      return milliseconds;
    };
    return { ours: () => buildBy(CLIENTS), peer: () => buildBy(1) };
  },
};
