//! Queries that look rows up by their ids: which ids, so that a commit that changed others need not run them.
//!
//! Decided from the text alone, and only where it is plain: one SELECT from one table, in whose WHERE one of the terms joined by
//! AND is `id = ?` or `id IN (?, …)` and nothing else, with parameters or string literals. Whatever else the query computes,
//! it computes it from rows with these ids. Everything that is not recognised is no lookup: joins, subqueries, compounds, OR,
//! CASE, BETWEEN, COLLATE, other types than text.

use crate::store::Parameter;

/// A query that only depends on the rows of `table` with these ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lookup {
    /// As the text names it.
    pub(crate) table: String,
    /// Sorted, each once.
    pub(crate) ids: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A bare word.
    Word(String),
    /// A quoted identifier.
    Name(String),
    Literal(String),
    /// The next parameter.
    Parameter,
    Sign(char),
    /// What no lookup needs.
    Other,
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Word(text) | Self::Name(text) => Some(text),
            Self::Literal(_) | Self::Parameter | Self::Sign(_) | Self::Other => None,
        }
    }

    /// Whether it ends the WHERE clause.
    fn ends_terms(&self) -> bool {
        ["GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT"].iter().any(|word| self.is(word)) || *self == Self::Sign(';')
    }
}

/// The ids that a query looks up, if it does nothing else.
pub(crate) fn lookup(sql: &str, parameters: &[Parameter]) -> Option<Lookup> {
    let tokens = tokens(sql)?;
    let count = |word: &str| tokens.iter().filter(|t| t.is(word)).count();
    if !tokens.first()?.is("SELECT")
        || ["SELECT", "FROM", "WHERE"].iter().any(|word| count(word) != 1)
        || ["OR", "CASE", "BETWEEN"].iter().any(|word| count(word) != 0)
    {
        return None;
    }
    let from = tokens.iter().position(|t| t.is("FROM"))?;
    let to = tokens.iter().position(|t| t.is("WHERE"))?;
    let (table, alias) = match tokens.get(from + 1..to)? {
        [table] => (table.name()?, table.name()?),
        [table, alias] if !alias.is("AS") => (table.name()?, alias.name()?),
        [table, word, alias] if word.is("AS") => (table.name()?, alias.name()?),
        _ => return None,
    };
    let before = tokens[..=to].iter().filter(|t| **t == Token::Parameter).count();
    let ids = terms(&tokens[to + 1..], before).find_map(|(term, first)| ids_of(term, alias, parameters, first))?;
    Some(Lookup { table: table.to_owned(), ids })
}

/// The terms that AND joins, each with the number of parameters before it.
fn terms(tokens: &[Token], mut parameters: usize) -> impl Iterator<Item = (&[Token], usize)> {
    let mut depth = 0_usize;
    let mut all = Vec::new();
    let (mut start, mut first) = (0, parameters);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            Token::Parameter => parameters += 1,
            token if depth == 0 && (token.is("AND") || token.ends_terms()) => {
                all.push((&tokens[start..at], first));
                (start, first) = (at + 1, parameters);
                if !token.is("AND") {
                    return all.into_iter();
                }
            }
            _ => {}
        }
    }
    all.push((&tokens[start..], first));
    all.into_iter()
}

/// The ids of a term `id = x` or `id IN (x, …)`.
fn ids_of(term: &[Token], alias: &str, parameters: &[Parameter], first: usize) -> Option<Vec<String>> {
    let is_id = |token: &Token| token.name().is_some_and(|name| name.eq_ignore_ascii_case("id"));
    let is_alias = |token: &Token| token.name().is_some_and(|name| name.eq_ignore_ascii_case(alias));
    let rest = match term {
        [id, rest @ ..] if is_id(id) => rest,
        [table, Token::Sign('.'), id, rest @ ..] if is_alias(table) && is_id(id) => rest,
        _ => return None,
    };
    let values: Vec<&Token> = match rest {
        [Token::Sign('='), value] | [Token::Sign('='), Token::Sign('='), value] => vec![value],
        [word, Token::Sign('('), list @ .., Token::Sign(')')] if word.is("IN") => {
            let is_comma = |at: usize| list.get(at) == Some(&Token::Sign(','));
            if list.len() % 2 == 0 || !(1..list.len()).step_by(2).all(is_comma) {
                return None;
            }
            list.iter().step_by(2).collect()
        }
        _ => return None,
    };
    let mut next = parameters.get(first..)?.iter();
    let mut ids = Vec::with_capacity(values.len());
    for value in values {
        ids.push(match value {
            Token::Literal(text) => text.clone(),
            Token::Parameter => match next.next()? {
                Parameter::Text(text) => text.clone(),
                Parameter::Null | Parameter::Integer(_) | Parameter::Real(_) | Parameter::Blob(_) => return None,
            },
            Token::Word(_) | Token::Name(_) | Token::Sign(_) | Token::Other => return None,
        });
    }
    ids.sort_unstable();
    ids.dedup();
    Some(ids)
}

/// `None` if the text is not plain enough. Numbered and named parameters are [`Token::Other`] everywhere, and so is a plain
/// one beside them, whose number would depend on theirs.
fn tokens(sql: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut numbered = false;
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            _ if c.is_ascii_whitespace() => c.len_utf8(),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |at| at + 4),
            '\'' | '"' | '`' => {
                let (text, length) = quoted(rest, c)?;
                tokens.push(if c == '\'' { Token::Literal(text) } else { Token::Name(text) });
                length
            }
            '[' => {
                let end = rest.find(']')?;
                tokens.push(Token::Name(rest[1..end].to_owned()));
                end + 1
            }
            '?' | ':' | '@' | '$' | '#' => {
                let name = 1 + rest[1..].find(|c: char| !is_in_word(c) && c != ':').unwrap_or(rest.len() - 1);
                numbered |= c != '?' || name > 1;
                tokens.push(if c == '?' { Token::Parameter } else { Token::Other });
                name
            }
            _ if is_in_word(c) => {
                let length = rest.find(|c: char| !is_in_word(c)).unwrap_or(rest.len());
                // x'00' is a blob
                let blob = rest[length..].starts_with('\'') && rest[..length].eq_ignore_ascii_case("x");
                tokens.push(if c.is_ascii_digit() || blob {
                    Token::Other
                } else {
                    Token::Word(rest[..length].to_owned())
                });
                length
            }
            '(' | ')' | ',' | '.' | '=' | ';' => {
                tokens.push(Token::Sign(c));
                1
            }
            _ => {
                tokens.push(Token::Other);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    if numbered {
        for token in tokens.iter_mut().filter(|t| **t == Token::Parameter) {
            *token = Token::Other;
        }
    }
    Some(tokens)
}

/// As SQLite: letters, digits, `_`, `$` and everything beyond ASCII.
fn is_in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// What stands in quotes, and the length with them.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut inside = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c != quote {
            inside.push(c);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            inside.push(quote);
        } else {
            return Some((inside, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_lookups_are_recognised() {
        let text = |t: &str| Parameter::Text(t.into());
        type Case<'c> = (&'c str, &'c [Parameter], Option<&'c [&'c str]>);
        let cases: &[Case<'_>] = &[
            ("SELECT * FROM notes WHERE id = ?", &[text("a")], Some(&["a"])),
            ("select upper(title) from Notes n where n.\"id\" == ? and n > 3 limit 1;", &[text("a")], Some(&["a"])),
            (
                "SELECT ? AS x FROM notes AS t WHERE n = ? AND t.id IN (?, 'q''q', ?)",
                &[text("0"), text("1"), text("b"), text("a")],
                Some(&["a", "b", "q'q"]),
            ),
            ("SELECT * FROM notes -- OR\n WHERE /* OR */ [id] = 'a' ORDER BY n", &[], Some(&["a"])),
            (
                "SELECT * FROM notes WHERE (n = ? AND title = ?) AND id = ?",
                &[text("0"), text("1"), text("a")],
                Some(&["a"]),
            ),
            ("SELECT * FROM notes WHERE id = ? OR n = 1", &[text("a")], None),
            ("SELECT * FROM notes WHERE (id = ?) OR 1", &[text("a")], None),
            ("SELECT * FROM notes WHERE NOT id = ?", &[text("a")], None),
            ("SELECT * FROM notes WHERE id = ? || 'x'", &[text("a")], None),
            ("SELECT * FROM notes WHERE id = upper(?)", &[text("a")], None),
            ("SELECT * FROM notes WHERE id = ? COLLATE NOCASE", &[text("a")], None),
            ("SELECT * FROM notes WHERE id COLLATE NOCASE = ?", &[text("a")], None),
            ("SELECT * FROM notes WHERE id = title", &[], None),
            ("SELECT * FROM notes WHERE id = \"title\"", &[], None),
            ("SELECT * FROM notes WHERE id = ?", &[Parameter::Integer(5)], None),
            ("SELECT * FROM notes WHERE id = 5", &[], None),
            ("SELECT * FROM notes WHERE id = x'61'", &[], None),
            ("SELECT * FROM notes WHERE id = ?1", &[text("a")], None),
            ("SELECT :x FROM notes WHERE id = ?", &[text("a"), text("b")], None),
            ("SELECT * FROM notes WHERE id >= ?", &[text("a")], None),
            ("SELECT * FROM notes WHERE id IN (?, upper(?))", &[text("a"), text("b")], None),
            ("SELECT * FROM notes WHERE id IN ()", &[], None),
            ("SELECT * FROM notes WHERE id NOT IN (?)", &[text("a")], None),
            ("SELECT * FROM notes WHERE id = ? = 0", &[text("a")], None),
            ("SELECT * FROM notes WHERE n BETWEEN 0 AND id = ?", &[text("a")], None),
            ("SELECT * FROM notes, others WHERE id = ?", &[text("a")], None),
            ("SELECT * FROM notes JOIN others WHERE id = ?", &[text("a")], None),
            ("SELECT * FROM notes WHERE id = ? AND n = (SELECT max(n) FROM notes)", &[text("a")], None),
            ("SELECT * FROM notes WHERE id = ? UNION SELECT * FROM notes", &[text("a")], None),
            ("WITH x AS (VALUES (1)) SELECT * FROM x WHERE id = ?", &[text("a")], None),
            ("SELECT * FROM f(?) WHERE id = ?", &[text("a"), text("b")], None),
            ("SELECT * FROM main.notes WHERE id = ?", &[text("a")], None),
            ("SELECT * FROM notes n WHERE other.id = ?", &[text("a")], None),
            ("SELECT * FROM notes", &[], None),
            ("SELECT 'unclosed", &[], None),
        ];
        for (sql, parameters, expected) in cases {
            let found = lookup(sql, parameters).map(|l| l.ids);
            assert_eq!(
                found.as_deref(),
                expected.map(|e| e.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()).as_deref(),
                "{sql}"
            );
        }
    }
}
