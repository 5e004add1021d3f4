/** The local tables; the backend has the same ones. */
import { column, Schema, Table } from '@omnii/sync';

export const schema = new Schema({
  sync_entities: new Table(
    {
      entity_type: column.text,
      name: column.text,
      properties: column.json,
      source_id: column.text,
      created_at: column.text,
      updated_at: column.text,
    },
    {
      indexes: { by_type: ['entity_type'], by_source: ['source_id'], by_created: ['created_at'] },
      required: ['entity_type', 'name'],
    },
  ),
  sync_events: new Table(
    {
      summary: column.text,
      description: column.text,
      start_time: column.text,
      end_time: column.text,
      location: column.text,
      google_event_id: column.text,
      attendees: column.json,
      created_at: column.text,
      updated_at: column.text,
    },
    { indexes: { by_start: ['start_time'], by_google: ['google_event_id'] } },
  ),
  sync_relationships: new Table(
    {
      from_entity_id: column.text,
      to_entity_id: column.text,
      relationship_type: column.text,
      properties: column.json,
      created_at: column.text,
      updated_at: column.text,
    },
    {
      indexes: { by_from: ['from_entity_id'], by_to: ['to_entity_id'], by_type: ['relationship_type'] },
      required: ['from_entity_id', 'to_entity_id', 'relationship_type'],
      parents: ['sync_entities'],
    },
  ),
});

export type Rows = (typeof schema)['types'];
