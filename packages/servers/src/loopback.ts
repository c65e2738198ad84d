/** Where every server listens. */
export const LOOPBACK = "127.0.0.1";
