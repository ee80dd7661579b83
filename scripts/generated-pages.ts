/**
 * Puts tables into a page, each between the lines `<!-- generated: name -->` and `<!-- end -->`.
 * @throws Error when the page has no such lines
 */
export function placeTables(page: string, tables: ReadonlyMap<string, string>): string {
  let placed = page;
  for (const [name, table] of tables) {
    const place = new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(<!-- end -->)`);
    if (!place.test(placed)) throw new Error(`the page has no place for the generated table "${name}"`);
    placed = placed.replace(place, (_, begin: string, end: string) => `${begin}\n${table}\n\n${end}`);
  }
  return placed;
}
