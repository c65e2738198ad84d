/** What a server inherits: where things lie, the language, and how the network is reached. A shell's environment may hold credentials. */
const INHERITED =
  /^(PATH|HOME|LANG|LC_[A-Z]+|TZ|TMPDIR|(HTTP|HTTPS|NO|ALL|FTP)_PROXY|(http|https|no|all|ftp)_proxy|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS)$/;

export function inheritedEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => INHERITED.test(name)));
}
