/** Users and groups as USER and `--chown` name them. */

/** What keeps a text from naming a user, and a group after a colon; what holds a variable is any until it has a value. */
export function userFault(text: string): string | undefined {
  const parts = text.split(":");
  if (parts.length > 2) return `has ${JSON.stringify(text)}, and a user and a group have one ":" between them`;
  const number = parts.find((part) => /^-?\d+$/.test(part) && !(Number(part) >= 0 && Number(part) <= LARGEST));
  return number === undefined ? undefined : `has the number ${number}; those of users and groups go from 0 to ${LARGEST}`;
}

const LARGEST = 2 ** 31 - 1;
