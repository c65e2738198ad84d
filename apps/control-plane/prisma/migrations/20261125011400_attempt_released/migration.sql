-- AlterEnum
ALTER TYPE "attempt_state" ADD VALUE 'released';
