/** What is made for a rollout belongs to it: it goes when the rollout goes, and its deletion waits for nothing of it. */
import { apiVersion, rolloutResource } from './names.ts';

export function ownedByRollout({ name, uid }: { readonly name: string; readonly uid: string }) {
  const { kind } = rolloutResource;
  return [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: false }] as const;
}
