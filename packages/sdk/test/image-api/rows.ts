/** The rows of the table: a method, an option, and what is looked at inside an image that was built with it. */
import type { Image } from "lamina";

export interface Row {
  readonly method: string;
  /** The option that makes the difference; none for what the method does by itself. */
  readonly option?: string;
  /** What is looked at, in words. */
  readonly what: string;
  /** Adds to the image of the group; left out where an earlier row has added what is looked at. */
  readonly add?: (image: Image) => Image;
  /** A shell command in the finished image. */
  readonly look: string;
  /** What it prints. */
  readonly expected: string;
}

/** Rows that are looked at in one image. */
export interface Group {
  /** What the base is, in words. */
  readonly name: string;
  readonly base: Image;
  readonly rows: readonly Row[];
  /** Whether it is built twice: looks are into the second, and find in SECOND_BUILD when that began, in nanoseconds since 1970. */
  readonly isBuiltTwice?: boolean;
}

/** What the images are made with. */
export interface Surroundings {
  /** A directory of the test's own. */
  readonly files: string;
  /** Two package indexes, their tokens in them. */
  readonly index: string;
  readonly otherIndex: string;
  /** The first without its token, which is the variable INDEX_TOKEN of the secret. */
  readonly indexWithSecret: string;
  readonly token: string;
  /** A small image without Python, by digest. */
  readonly tiny: string;
  /** Debian 13 with Python, by digest. */
  readonly debian: string;
  /** Static programs and nothing else, by digest. */
  readonly busybox: string;
  /** {@link tiny} with a file `/private`, in a registry that asks for credentials. */
  readonly privateBase: { readonly reference: string; readonly username: string; readonly password: string };
}
