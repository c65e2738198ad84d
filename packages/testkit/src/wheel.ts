/** Wheels for tests, with the same bytes every time. */
import { crc32 } from "node:zlib";
import type { PackageFile } from "./package-index.ts";

export interface WheelOptions {
  /** As it is imported, such as `a_project`. */
  readonly module: string;
  readonly version: string;
  /** The source of the module. */
  readonly source: string;
  /** What it depends on, such as `other>=1`. */
  readonly requires?: readonly string[];
}

/** A project of one module. */
export function wheelOf({ module, version, source, requires = [] }: WheelOptions): PackageFile {
  const info = `${module}-${version}.dist-info`;
  const content = storedZip([
    [`${module}.py`, source],
    [
      `${info}/METADATA`,
      `Metadata-Version: 2.1\nName: ${module.replaceAll("_", "-")}\nVersion: ${version}\n${requires.map((one) => `Requires-Dist: ${one}\n`).join("")}`,
    ],
    [`${info}/WHEEL`, "Wheel-Version: 1.0\nGenerator: lamina\nRoot-Is-Purelib: true\nTag: py3-none-any\n"],
    [`${info}/RECORD`, `${module}.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`],
  ]);
  return { name: `${module}-${version}-py3-none-any.whl`, content };
}

/** A zip archive without compression. */
function storedZip(files: readonly (readonly [name: string, content: string])[]): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0); // version needed
    fields.writeUInt16LE(0x21, 8); // 1980-01-01
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(content.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, Buffer.from(name + content)]);
    parts.push(local);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), fields, place, Buffer.from(name)]));
    offset += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(listing.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, listing, Buffer.from("PK\x05\x06"), end]);
}
