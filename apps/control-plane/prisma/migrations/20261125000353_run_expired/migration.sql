-- AlterEnum
ALTER TYPE "run_state" ADD VALUE 'expired';
