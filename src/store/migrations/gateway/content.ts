/** Content of runs is sealed with a key that stands with their event; without that key it is erased. */
export const statements: readonly string[] = [
  // Null: from before content was sealed, or erased; `erased_at` tells.
  `alter table events add column content_key text, add column erased_at timestamptz`,

  // Small facts about the installation, such as the fingerprint of its key-encryption key.
  `create table settings (
    name text primary key,
    value text not null
  )`,
];
