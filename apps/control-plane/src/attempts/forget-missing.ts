/** What an attempt needed and did not get is forgotten, so that the next build sends, makes or asks for it again. */
import type { ErrorInfo } from "@lamina/api";
import { ResolvedDefinition, treesOf } from "@lamina/ir";
import type { Transaction } from "../database/database.ts";

export async function forgetMissing(transaction: Transaction, attempt: string, error: ErrorInfo): Promise<void> {
  if (error.code === "CONTEXT_MISSING") await forgetLocalFiles(transaction, attempt);
  if (error.code === "PARENT_MISSING") await forgetParent(transaction, attempt);
  if (error.code === "BASE_UNAUTHORIZED") await forgetBase(transaction, attempt);
}

/** All trees of its definition, their packs, and every other tree with a file in one of those packs. */
async function forgetLocalFiles(transaction: Transaction, attempt: string): Promise<void> {
  const { workspace, definition } = await transaction.attempt.findUniqueOrThrow({ where: { id: attempt } });
  const digests = treesOf(ResolvedDefinition.parse(definition));
  const trees = await transaction.tree.findMany({ where: { workspace, digest: { in: digests } } });
  const packs = trees.flatMap((tree) => tree.packs);
  await transaction.tree.deleteMany({ where: { workspace, OR: [{ digest: { in: digests } }, { packs: { hasSome: packs } }] } });
  await transaction.pack.deleteMany({ where: { workspace, digest: { in: packs } } });
}

/** The image that it starts from: a record, or what the name of a base was found to mean. */
async function forgetParent(transaction: Transaction, attempt: string): Promise<void> {
  const { workspace, fromDigest: digest } = await transaction.attempt.findUniqueOrThrow({ where: { id: attempt } });
  await transaction.record.deleteMany({ where: { workspace, digest } });
  await transaction.base.deleteMany({ where: { workspace, digest } });
}

/** Who was shown the base may have lost the right to it. */
async function forgetBase(transaction: Transaction, attempt: string): Promise<void> {
  const { workspace, fromDigest: digest } = await transaction.attempt.findUniqueOrThrow({ where: { id: attempt } });
  await transaction.base.deleteMany({ where: { workspace, digest } });
}
