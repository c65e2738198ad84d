/** The SDK as this program has it, for user files that have none of their own. */
export * from "lamina";
