// The three tables of the backend's contract (docs/protocol.md) as an app declares them, with the contract's indexes. The
// demo and the benchmark use it.

import { column, Schema, Table } from '@omnii/sync';

const entities = new Table(
  {
    user_id: column.text,
    entity_type: column.text,
    name: column.text,
    properties: column.json,
    source_id: column.text,
    created_at: column.text,
    updated_at: column.text,
  },
  { indexes: { by_type: ['entity_type'], by_source: ['source_id'] }, required: ['entity_type', 'name'] },
);
const events = new Table(
  {
    user_id: column.text,
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
);
const relationships = new Table(
  {
    user_id: column.text,
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
);
/** For any script in the host. */
export const schema = new Schema({ sync_entities: entities, sync_events: events, sync_relationships: relationships });
