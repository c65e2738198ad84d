/** What an image is called that functions of an app run in, by their names in the order of the app. */
export function imageName(functions: readonly string[]): string {
  const [first = "", ...others] = functions;
  const [second] = others;
  if (second === undefined) return first;
  return others.length === 1 ? `${first} and ${second}` : `${first} and ${others.length} more`;
}
