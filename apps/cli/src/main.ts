import { enableCompileCache } from "node:module";

// Before the first import of our own, so that this one profits too.
enableCompileCache();
const { main } = await import("./cli.ts");
await main(process.argv.slice(2), process.env);
