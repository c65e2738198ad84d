/** How bytes are compressed, by how they begin; four of them are enough. */
export function compressionOf(bytes: Buffer): "zstd" | "gzip" | undefined {
  if (bytes.length < 4) return undefined;
  if (bytes.readUInt32LE(0) === 0xfd2fb528) return "zstd";
  return bytes.readUInt16LE(0) === 0x8b1f ? "gzip" : undefined;
}
