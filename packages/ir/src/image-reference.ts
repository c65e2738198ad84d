/** The form of an image reference, by the grammar of the distribution project; digests are SHA-256 alone. */

const LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
/** A first part without dot and port is of the path, as `team/app`: only so are capitals in it an error. */
const HOST = String.raw`(?:${LABEL}(?:\.${LABEL})+(?::[0-9]{1,5})?|${LABEL}:[0-9]{1,5}|localhost|\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?)`;
const PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const REFERENCE = new RegExp(String.raw`^(?:${HOST}/)?${PART}(?:/${PART})*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`);

/** What starts from an image without a file. */
export const SCRATCH = "scratch";

export function isImageReference(text: string): boolean {
  return REFERENCE.test(text);
}
