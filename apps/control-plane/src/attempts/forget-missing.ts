/** What an attempt needed and did not get is forgotten, so that the next build sends, makes or asks for it again. */
import type { ErrorCode, ErrorInfo } from "@lamina/api";
import { ResolvedDefinition, treesOf } from "@lamina/ir";
import type { Transaction } from "../database/database.ts";
import type { Attempt } from "../generated/client.ts";

export async function forgetMissing(transaction: Transaction, id: string, { code }: ErrorInfo): Promise<void> {
  const forget = FORGET[code];
  if (forget !== undefined) await forget(transaction, await transaction.attempt.findUniqueOrThrow({ where: { id } }));
}

const FORGET: Partial<Record<ErrorCode, (transaction: Transaction, attempt: Attempt) => Promise<void>>> = {
  CONTEXT_MISSING: forgetLocalFiles,
  PARENT_MISSING: forgetParent,
  // Who was shown the base may have lost the right to it.
  BASE_UNAUTHORIZED: forgetBase,
};

/** All trees of its definition, their packs, and every other tree with a file in one of those packs. */
async function forgetLocalFiles(transaction: Transaction, { workspace, definition }: Attempt): Promise<void> {
  const digests = treesOf(ResolvedDefinition.parse(definition));
  const trees = await transaction.tree.findMany({ where: { workspace, digest: { in: digests } } });
  const packs = trees.flatMap((tree) => tree.packs);
  await transaction.tree.deleteMany({ where: { workspace, OR: [{ digest: { in: digests } }, { packs: { hasSome: packs } }] } });
  await transaction.pack.deleteMany({ where: { workspace, digest: { in: packs } } });
}

/** The image that it starts from: a record, or what the name of a base was found to mean. */
async function forgetParent(transaction: Transaction, attempt: Attempt): Promise<void> {
  const { workspace, fromDigest: digest } = attempt;
  await transaction.record.deleteMany({ where: { workspace, digest } });
  await forgetBase(transaction, attempt);
}

async function forgetBase(transaction: Transaction, { workspace, fromDigest: digest }: Attempt): Promise<void> {
  await transaction.base.deleteMany({ where: { workspace, digest } });
}
