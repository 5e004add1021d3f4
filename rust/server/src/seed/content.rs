//! What the demo rows say: names, properties and dates as a personal assistant would hold them. JSON is written in the
//! order in which `jsonb` would print it, since these texts go straight into JSON columns.

use serde_json::{Value, json};

use super::random::SplitMix64;
use crate::timestamps::canonical;
use crate::values::jsonb;

const US_PER_MINUTE: i64 = 60 * 1_000_000;
const US_PER_DAY: i64 = 24 * 60 * US_PER_MINUTE;

const FIRST: [&str; 16] = [
    "Ada", "Björn", "Chloé", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Kavya", "Liam", "Mei",
    "Noor", "Olga", "Paulo",
];
const LAST: [&str; 16] = [
    "Almeida", "Berg", "Castro", "Dietrich", "Eriksson", "Fischer", "García", "Hoffmann", "Ivanova", "Jensen", "Kim",
    "Lopez", "Müller", "Nakamura", "O'Brien", "Patel",
];
const COMPANY: [&str; 8] =
    ["Northwind", "Contoso", "Globex", "Initech", "Umbra Labs", "Hooli", "Stark & Sons", "Blue Yonder"];
const VERB: [&str; 10] =
    ["Review", "Draft", "Send", "Prepare", "Call about", "Follow up on", "Book", "Update", "Fix", "Plan"];
const OBJECT: [&str; 12] = [
    "the quarterly report",
    "flights to Lisbon",
    "the onboarding guide",
    "invoice 2025-117",
    "the design review",
    "the \"Atlas\" prototype",
    "dentist appointment",
    "the team offsite",
    "release notes",
    "the budget draft",
    "the hiring plan",
    "the lease renewal",
];
const TOPIC: [&str; 10] = [
    "offline-first",
    "machine learning",
    "gardening",
    "typography",
    "tax 2025",
    "sourdough",
    "marathon training",
    "home renovation",
    "Portuguese",
    "photography",
];
const PLACE: [&str; 8] = [
    "Room 4.12",
    "Café Central",
    "Online",
    "Main office, 3rd floor",
    "Park Street 9",
    "Zürich HB",
    "Studio B",
    "Phone",
];
const MEETING: [&str; 8] =
    ["1:1 with", "Interview with", "Lunch with", "Call with", "Demo for", "Workshop with", "Visit:", "Kick-off with"];
const RELATION: [&str; 7] = ["mentions", "assigned_to", "about", "sent_by", "related_to", "part_of", "blocks"];

pub(super) struct Content {
    pub random: SplitMix64,
}

pub(super) struct Entity {
    pub kind: &'static str,
    pub name: String,
    pub properties: String,
    pub source_id: Option<String>,
}

pub(super) struct Event {
    pub summary: String,
    pub description: Option<String>,
    pub start_us: i64,
    pub end_us: i64,
    pub location: &'static str,
    pub google_event_id: String,
    pub attendees: String,
}

impl Content {
    pub fn new(random: SplitMix64) -> Self {
        Self { random }
    }

    /// How long before its last change a row was created: up to 30 days.
    pub fn age_us(&mut self) -> i64 {
        self.below(30 * US_PER_DAY)
    }

    pub fn entity(&mut self, n: u32) -> Entity {
        // Tasks and emails are what people have most of.
        let kind = self.random.pick(&["task", "task", "task", "email", "email", "contact", "concept", "entity"]);
        let (name, properties, source) = match kind {
            "task" => {
                let name = format!("{} {}", self.random.pick(&VERB), self.random.pick(&OBJECT));
                let due = canonical(super::FIRST_US + self.below(2 * super::SPAN_US));
                let properties = json!({
                    "status": self.random.pick(&["open", "open", "in_progress", "done"]),
                    "priority": self.random.pick(&["low", "normal", "high"]),
                    "due": &due[..10],
                    "tags": [self.random.pick(&TOPIC)],
                });
                (name, properties, "gtasks")
            }
            "email" => {
                let (sender, address) = self.person();
                let name = format!("Re: {}", self.random.pick(&OBJECT));
                let properties = json!({
                    "from": { "name": sender, "email": address },
                    "snippet": format!("Hi, a quick question about {} …", self.random.pick(&OBJECT)),
                    "unread": self.random.below(3) == 0,
                    "attachments": self.random.below(4),
                });
                (name, properties, "gmail")
            }
            "contact" => {
                let (name, address) = self.person();
                let phone = format!("+1 555 {:04}", self.random.below(10_000));
                let properties = json!({ "email": address, "phone": phone, "company": self.random.pick(&COMPANY) });
                (name, properties, "contacts")
            }
            "concept" => {
                let weight = self.below(1_000);
                let properties = json!({ "weight": f64::from(u16::try_from(weight).unwrap_or_default()) / 1_000.0,
                    "aliases": [self.random.pick(&TOPIC), self.random.pick(&TOPIC)] });
                (self.random.pick(&TOPIC).to_owned(), properties, "")
            }
            _ => {
                let name = self.random.pick(&COMPANY).to_owned();
                let properties = json!({ "kind": "company", "city": self.random.pick(&["Berlin", "Porto", "Oslo"]) });
                (name, properties, "")
            }
        };
        let source_id = (!source.is_empty()).then(|| format!("{source}:{n:08x}"));
        Entity { kind, name, properties: text(&properties), source_id }
    }

    pub fn event(&mut self, n: u32, updated_us: i64) -> Event {
        let (name, address) = self.person();
        let quarter = 15 * US_PER_MINUTE;
        let start_us = (updated_us + self.below(60 * US_PER_DAY)) / quarter * quarter;
        let end_us = start_us + quarter * (1 + self.below(8));
        let response = self.random.pick(&["accepted", "tentative", "needsAction"]);
        let attendees = json!([
            { "email": super::DEMO_EMAIL, "self": true, "responseStatus": "accepted" },
            { "email": address, "displayName": name, "responseStatus": response },
        ]);
        let topic = self.random.pick(&OBJECT);
        let description = (self.random.below(3) > 0).then(|| format!("Agenda:\n- {topic}\n- next steps"));
        Event {
            summary: format!("{} {name}", self.random.pick(&MEETING)),
            description,
            start_us,
            end_us,
            location: self.random.pick(&PLACE),
            google_event_id: format!("evt{n:012x}"),
            attendees: text(&attendees),
        }
    }

    pub fn relationship_type(&mut self) -> &'static str {
        self.random.pick(&RELATION)
    }

    pub fn relationship_properties(&mut self) -> String {
        let percent = u8::try_from(self.random.below(101)).unwrap_or_default();
        text(&json!({ "confidence": f64::from(percent) / 100.0 }))
    }

    fn person(&mut self) -> (String, String) {
        let (first, last) = (self.random.pick(&FIRST), self.random.pick(&LAST));
        let plain: String =
            format!("{first}.{last}").to_lowercase().chars().filter(|c| c.is_ascii_alphabetic() || *c == '.').collect();
        (format!("{first} {last}"), format!("{plain}@example.com"))
    }

    fn below(&mut self, bound: i64) -> i64 {
        i64::try_from(self.random.below(bound.unsigned_abs())).expect("smaller than an i64")
    }
}

fn text(value: &Value) -> String {
    jsonb(value).expect("demo data has no NUL")
}
