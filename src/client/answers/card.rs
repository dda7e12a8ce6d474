//! Card: an answer with several lines, which each chat lays out in its own way.

use crate::client::model::requests::SecretText;
use crate::client::text::clean::clean;

/// An answer with a title. Texts are as received: [`Card::lines`] cleans them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Title in the window's border.
    pub title: String,
    /// Content, from the top.
    pub blocks: Vec<Block>,
    /// Text at the end that is shown this once, kept nowhere, and copied as a whole.
    pub secret: Option<SecretText>,
}

/// A part of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A line of text.
    Text(String),
    /// A name and its value.
    Field {
        /// Name before the value.
        name: String,
        /// Value as text, of one line or more.
        value: String,
    },
    /// A table with headings.
    Table(Table),
}

/// Table with a heading for each column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Headings of the columns.
    pub headings: Vec<&'static str>,
    /// Rows, each with a cell for each column.
    pub rows: Vec<Vec<String>>,
}

/// A line of a card, safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardLine {
    /// A heading of a table or of its columns.
    Heading(String),
    /// A name and its value.
    Field {
        /// Name before the value.
        name: String,
        /// Value as text, of one line or more.
        value: String,
    },
    /// Text as it is.
    Text(String),
    /// Secret that is shown once, such as an invite link.
    Secret(String),
}

impl Card {
    /// Lays the card out for a width in cells; tables that do not fit, and those for a reader of lines (`None`), have
    /// one row in a sentence. `measure` returns the width of a text in cells.
    pub fn lines(&self, columns: Option<usize>, measure: impl Fn(&str) -> usize) -> Vec<CardLine> {
        let mut lines = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Text(text) => lines.push(CardLine::Text(clean(text))),
                Block::Field { name, value } => {
                    lines.push(CardLine::Field { name: name.clone(), value: clean(value) });
                }
                Block::Table(table) => lines.extend(table.lines(columns, &measure)),
            }
        }
        if let Some(secret) = &self.secret {
            lines.push(CardLine::Secret(clean(secret.expose())));
        }
        lines
    }
}

impl Table {
    /// Cells between two columns.
    const GAP: usize = 2;

    fn lines(&self, columns: Option<usize>, measure: &impl Fn(&str) -> usize) -> Vec<CardLine> {
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| measure(cell));
            cells.chain(self.headings.get(column).map(|heading| measure(heading))).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        let total = widths.iter().sum::<usize>() + Self::GAP * widths.len().saturating_sub(1);
        if columns.is_none_or(|columns| total > columns) {
            return rows.iter().map(|row| CardLine::Text(self.sentence(row))).collect();
        }
        let line = |cells: &[&str]| {
            let mut text = String::new();
            for (cell, width) in cells.iter().zip(&widths) {
                text.push_str(cell);
                text.extend(std::iter::repeat_n(' ', width.saturating_sub(measure(cell)) + Self::GAP));
            }
            text.trim_end().to_owned()
        };
        let heading = line(&self.headings);
        let rows = rows.iter().map(|row| {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            CardLine::Text(line(&cells))
        });
        std::iter::once(CardLine::Heading(heading)).chain(rows).collect()
    }

    /// Returns a row as a sentence: the first cell, then the others with their headings.
    fn sentence(&self, row: &[String]) -> String {
        let mut cells = self.headings.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let Some((_, first)) = cells.next() else { return String::new() };
        let rest: Vec<String> =
            cells.map(|(heading, cell)| format!("{} {cell}", heading.to_lowercase())).collect();
        if rest.is_empty() { first.clone() } else { format!("{first}: {}", rest.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Card {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = vec![row(["1", "ab12\u{1b}[2J", "never"]), row(["12", "cd", ""])];
        let table = Table { headings: vec!["#", "Device", "Used"], rows };
        let blocks = vec![
            Block::Text("a\u{202e}b".to_owned()),
            Block::Field { name: "Name".to_owned(), value: "bob".to_owned() },
            Block::Table(table),
        ];
        Card { title: "T".to_owned(), blocks, secret: Some(SecretText::new("link")) }
    }

    #[test]
    fn tables_stand_in_columns_or_become_sentences() {
        let lines = card().lines(Some(40), |text| text.chars().count());
        assert_eq!(
            lines,
            [
                CardLine::Text("ab".to_owned()),
                CardLine::Field { name: "Name".to_owned(), value: "bob".to_owned() },
                CardLine::Heading("#   Device  Used".to_owned()),
                CardLine::Text("1   ab12    never".to_owned()),
                CardLine::Text("12  cd".to_owned()),
                CardLine::Secret("link".to_owned()),
            ]
        );
        let lines = card().lines(Some(10), |text| text.chars().count());
        assert_eq!(
            lines[2..4],
            ["1: device ab12, used never", "12: device cd"].map(|text| CardLine::Text(text.to_owned()))
        );
        assert_eq!(card().lines(None, |text| text.chars().count()), lines);
    }
}
