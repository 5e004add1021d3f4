// What the screenshots show: one person's tasks, people, mails, topics and a week of events. Everything is relative to one
// fixed moment, so that a picture only changes when the app does.

/** Monday morning. */
export const NOW = new Date('2026-11-23T09:41:00Z');
export const account = { email: 'ada.lovelace@example.com', password: 'correct-horse' };

const HOUR_MS = 3_600_000;
const ago = (hours) => new Date(NOW.getTime() - hours * HOUR_MS).toISOString();
/** `day` 0 is today, `hour` as 9.5 for half past nine. */
const at = (day, hour) => new Date(Date.UTC(2026, 10, 23 + day) + hour * HOUR_MS).toISOString();
const uuid = (kind, n) => `${kind}0000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

let count = 0;
function entity(type, name, properties, hours) {
  count += 1;
  return {
    id: uuid('e', count), entity_type: type, name, properties: JSON.stringify(properties), source_id: null,
    created_at: ago(hours + 50), updated_at: ago(hours),
  };
}

const task = (name, status, priority, due, hours, notes) =>
  entity('task', name, { status, priority, due, ...(notes && { notes }) }, hours);

const offsite = task('Book rooms for the team offsite', 'open', 'high', '2026-11-24', 0.1, 'Eight people, two nights. Jonas asks whether to hold the house in Sintra until Friday.');
const budget = task('Review the budget draft', 'in_progress', 'high', '2026-11-25', 0.4);
const release = task('Write the release notes', 'open', 'normal', '2026-11-27', 2);
const flights = task('Flights to Lisbon', 'done', 'normal', '2026-11-20', 20);
const dentist = task('Call the dentist', 'open', 'low', '2026-12-01', 26);
const guide = task('Send the onboarding guide to Mei', 'done', 'normal', '2026-11-19', 70);
const mei = entity('contact', 'Mei Nakamura', { email: 'mei@example.com', phone: '+1 555 0142', company: 'Northwind' }, 3);
const jonas = entity('contact', 'Jonas Berg', { email: 'jonas@example.com', phone: '+1 555 0178', company: 'Blue Yonder' }, 30);
const noor = entity('contact', 'Noor Almeida', { email: 'noor@example.com', company: 'Studio B' }, 55);
const quote = entity('email', 'Re: Offer for the venue in Sintra', { from: { name: 'Jonas Berg', email: 'jonas@example.com' }, snippet: 'The house is free that week. Shall I hold it until Friday?', unread: true, attachments: 1 }, 1);
const invoice = entity('email', 'Invoice 2026-117', { from: { name: 'Noor Almeida', email: 'noor@example.com' }, snippet: 'Please find the invoice for October attached.', unread: false, attachments: 1 }, 22);
const offline = entity('concept', 'Offline-first', { weight: 0.92, aliases: ['local-first'] }, 8);
const portuguese = entity('concept', 'Portuguese', { weight: 0.55, aliases: ['língua portuguesa'] }, 44);
const northwind = entity('entity', 'Northwind', { kind: 'company', city: 'Porto' }, 90);

let links = 0;
function relationship(from, type, to) {
  links += 1;
  return {
    id: uuid('d', links), from_entity_id: from.id, to_entity_id: to.id, relationship_type: type, properties: '{}',
    created_at: ago(1), updated_at: ago(1),
  };
}

let dates = 0;
function event(summary, day, from, to, location, description = null) {
  dates += 1;
  return {
    id: uuid('c', dates), summary, description, start_time: at(day, from), end_time: at(day, to), location,
    google_event_id: `evt${dates}`, attendees: JSON.stringify([{ email: account.email, self: true }]), created_at: ago(100), updated_at: ago(5),
  };
}

/** What the backend holds, by table; parents first. */
export const rows = {
  sync_entities: [offsite, budget, release, flights, dentist, guide, mei, jonas, noor, quote, invoice, offline, portuguese, northwind],
  sync_relationships: [
    relationship(offsite, 'mentions', quote), relationship(offsite, 'assigned_to', mei), relationship(offsite, 'blocks', flights),
    relationship(quote, 'sent_by', jonas), relationship(invoice, 'sent_by', noor), relationship(mei, 'part_of', northwind),
    relationship(release, 'about', offline), relationship(guide, 'assigned_to', mei),
  ],
  sync_events: [
    event('Portuguese lesson', -1, 18, 19, 'Online'),
    event('Stand-up', 0, 9, 9.25, 'Room 4.12'),
    event('Budget with Mei', 0, 11, 12, 'Café Central', 'Agenda:\n- the draft\n- next steps'),
    event('Interview with Paulo Ivanova', 0, 15.5, 16.5, 'Main office, 3rd floor'),
    event('Stand-up', 1, 9, 9.25, 'Room 4.12'),
    event('Lunch with Jonas', 1, 12.5, 13.5, 'Park Street 9'),
    event('Demo for Blue Yonder', 2, 14, 15, 'Online', 'The new list, offline and back'),
    event('Kick-off: release 2', 3, 10, 11.5, 'Studio B'),
    event('Train to Porto', 4, 7.75, 11, 'Zürich HB'),
  ],
};

/** The entity whose screen is shown, and the one whose change the backend refuses. */
export const shown = { detail: offsite.id, refused: budget.id };
export const refusal = { name: 'Review the final budget', reason: 'Only Mei may rename this task.' };
export const written = ['Passport photos', 'Ask Noor about the invoice'];
