/** Entities: what the screens read, and the writes. Each write is one local transaction; there is nothing else to call. */
import type { Database } from '@omnii/sync';
import { randomUUID } from 'expo-crypto';
import type { Rows } from './schema';

export const ENTITY_TYPES = ['task', 'email', 'contact', 'concept', 'entity'] as const;
export type EntityType = (typeof ENTITY_TYPES)[number];

/** As people read them. */
export const TYPE_TITLES: Record<EntityType, string> = { task: 'Task', email: 'Email', contact: 'Contact', concept: 'Concept', entity: 'Entity' };

export type Entity = Rows['sync_entities'];
export type EntityListItem = Pick<Entity, 'id' | 'entity_type' | 'name' | 'created_at'>;

/** What the form edits. */
export interface EntityDraft {
  name: string;
  type: EntityType;
  notes: string;
}

export interface Relation {
  id: string;
  relationship_type: string | null;
  other_id: string;
  other_name: string | null;
  other_type: string | null;
  outgoing: 0 | 1;
}

/** Parameters: type or '', search text or '', the same as a LIKE pattern. Newest first. */
export const LIST_SQL = `
  SELECT id, entity_type, name, created_at FROM sync_entities
  WHERE (?1 = '' OR entity_type = ?1) AND (?2 = '' OR name LIKE ?3 ESCAPE '\\')
  ORDER BY created_at DESC, id`;

export function listParameters(type: EntityType | null, search: string): string[] {
  const text = search.trim();
  return [type ?? '', text, `%${text.replace(/[\\%_]/g, (letter) => `\\${letter}`)}%`];
}

export const RELATIONS_SQL = `
  SELECT r.id, r.relationship_type, e.id AS other_id, e.name AS other_name, e.entity_type AS other_type, 1 AS outgoing
  FROM sync_relationships r JOIN sync_entities e ON e.id = r.to_entity_id WHERE r.from_entity_id = ?1
  UNION ALL
  SELECT r.id, r.relationship_type, e.id, e.name, e.entity_type, 0
  FROM sync_relationships r JOIN sync_entities e ON e.id = r.from_entity_id WHERE r.to_entity_id = ?1
  ORDER BY 2, 4`;

export function toEntityType(value: string | null | undefined): EntityType {
  return ENTITY_TYPES.find((type) => type === value) ?? 'entity';
}

/** What the form shows of a row. Properties that are no object are left alone by the form, and shown as no notes. */
export function toDraft(entity: Pick<Entity, 'name' | 'entity_type' | 'properties'>): EntityDraft {
  const { notes } = propertiesOf(entity.properties);
  return { name: entity.name ?? '', type: toEntityType(entity.entity_type), notes: typeof notes === 'string' ? notes : '' };
}

function propertiesOf(json: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json ?? '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Answers the id of the new row. */
export async function createEntity(db: Database, { name, type, notes }: EntityDraft): Promise<string> {
  const id = randomUUID();
  await db.execute('INSERT INTO sync_entities (id, entity_type, name, properties, created_at) VALUES (?, ?, ?, ?, ?)', [
    id,
    type,
    name.trim(),
    JSON.stringify(notes.trim() === '' ? {} : { notes: notes.trim() }),
    new Date().toISOString(),
  ]);
  return id;
}

/**
 * Writes only what differs from `before`, the draft that the form began with: what another device has changed since then, and
 * the user has not, stays as it is.
 */
export async function updateEntity(db: Database, id: string, before: EntityDraft, { name, type, notes }: EntityDraft): Promise<void> {
  await db.writeTransaction(async (tx) => {
    const row = await tx.get<Pick<Entity, 'properties'>>('SELECT properties FROM sync_entities WHERE id = ?', [id]);
    if (before.name !== name.trim()) await tx.execute('UPDATE sync_entities SET name = ? WHERE id = ?', [name.trim(), id]);
    if (before.type !== type) await tx.execute('UPDATE sync_entities SET entity_type = ? WHERE id = ?', [type, id]);
    if (before.notes !== notes.trim()) {
      const properties = JSON.stringify({ ...propertiesOf(row.properties), notes: notes.trim() });
      await tx.execute('UPDATE sync_entities SET properties = ? WHERE id = ?', [properties, id]);
    }
  });
}

/** Takes its relationships along, as the backend does. */
export async function deleteEntity(db: Database, id: string): Promise<void> {
  await db.writeTransaction(async (tx) => {
    await tx.execute('DELETE FROM sync_relationships WHERE from_entity_id = ?1 OR to_entity_id = ?1', [id]);
    await tx.execute('DELETE FROM sync_entities WHERE id = ?', [id]);
  });
}
