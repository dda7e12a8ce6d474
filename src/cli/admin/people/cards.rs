//! A page to print with a card for each person: the name of the account and a QR code by which its owner chooses a
//! password. The page has all that it shows in itself, and no scripts.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use zeroize::Zeroizing;

use crate::cli::admin::qr::QrMatrix;
use crate::cli::output::format_minute;
use crate::core::record::group::GroupName;
use crate::platform::files;
use crate::server::now;
use crate::wire::{Nick, Timestamp};

/// The options for cards.
#[derive(clap::Args)]
pub struct CardOptions {
    /// Write a page to print to a new file that only you can read: a card for each account, with a QR code by which its
    /// owner chooses a password.
    #[arg(long, value_name = "FILE", value_parser = parse_card_path)]
    pub cards: Option<PathBuf>,
    /// The language of the cards.
    #[arg(long, value_name = "LANGUAGE", default_value = "en", requires = "cards")]
    pub language: Language,
}

/// A language of cards.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Language {
    /// English
    En,
    /// German
    De,
    /// French
    Fr,
    /// Spanish
    Es,
}

/// The card of a person.
pub struct Card<'a> {
    /// Name of the account.
    pub name: &'a Nick,
    /// Name of the person.
    pub display_name: Option<&'a str>,
    /// Groups of the account.
    pub groups: &'a [GroupName],
    /// Password of the account, if it was made for it.
    pub password: Option<&'a str>,
    /// Link by which its owner chooses a password.
    pub link: &'a str,
}

/// Server, expiry and language that all cards of a page share.
pub struct CardPage<'a> {
    /// Name of the server.
    pub server_name: &'a str,
    /// Language of the texts.
    pub language: Language,
    /// Time for which the links are valid.
    pub expires: Duration,
}

/// The file of the cards, which was created and is still empty. Dropping it removes the file unless it was written.
pub struct CardFile {
    path: PathBuf,
    file: Option<File>,
}

/// Parses the path of the page for clap.
pub fn parse_card_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "htm") => Ok(path),
        _ => Err("the file's name ends in .html".to_owned()),
    }
}

impl CardFile {
    /// Creates a file that only its owner can read. An existing file is an error.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        match files::open_private(OpenOptions::new().write(true).create_new(true), path) {
            Ok(file) => Ok(Self { path: path.to_owned(), file: Some(file) }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                bail!("{} is there already; name another file, or remove it first", path.display())
            }
            Err(error) => Err(error).with_context(|| {
                format!("cannot make {}; name a file in a folder that you may write to", path.display())
            }),
        }
    }

    /// Writes the cards. Without any, removes the file.
    pub fn write(mut self, page: &CardPage<'_>, cards: &[Card<'_>]) -> anyhow::Result<()> {
        if cards.is_empty() {
            return Ok(());
        }
        let text = page.to_html(cards)?;
        let failed = || {
            format!("cannot write {}; `parlour invite create --group` makes cards again", self.path.display())
        };
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(failed)?;
        self.file = None;
        Ok(())
    }
}

impl Drop for CardFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            // The file is empty or incomplete; another error has been reported.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The texts of a card.
struct Texts {
    code: &'static str,
    title: &'static str,
    account: &'static str,
    password: &'static str,
    /// Instructions for the code, which end before the date.
    how: &'static str,
}

impl Language {
    fn texts(self) -> Texts {
        match self {
            Self::En => Texts {
                code: "en",
                title: "Cards",
                account: "Account",
                password: "Password",
                how: "The code is a link. Open it with “parlour join”, or paste it into the field for an invite on the page of the server, and choose a password. It works once, until",
            },
            Self::De => Texts {
                code: "de",
                title: "Karten",
                account: "Konto",
                password: "Passwort",
                how: "Der Code ist ein Link. Öffne ihn mit „parlour join“ oder füge ihn auf der Seite des Servers in das Feld für eine Einladung ein, und wähle ein Passwort. Er gilt einmal, bis",
            },
            Self::Fr => Texts {
                code: "fr",
                title: "Cartes",
                account: "Compte",
                password: "Mot de passe",
                how: "Le code est un lien. Ouvrez-le avec « parlour join » ou collez-le dans le champ d’invitation de la page du serveur, puis choisissez un mot de passe. Il sert une fois, jusqu’au",
            },
            Self::Es => Texts {
                code: "es",
                title: "Tarjetas",
                account: "Cuenta",
                password: "Contraseña",
                how: "El código es un enlace. Ábrelo con «parlour join» o pégalo en el campo de invitación de la página del servidor, y elige una contraseña. Sirve una vez, hasta el",
            },
        }
    }
}

impl CardPage<'_> {
    fn to_html(&self, cards: &[Card<'_>]) -> anyhow::Result<Zeroizing<String>> {
        let texts = self.language.texts();
        let lasts = u64::try_from(self.expires.as_millis()).unwrap_or(u64::MAX);
        let end = format_minute(Timestamp(now().0.saturating_add(lasts)));
        let (server, title, code) = (escape(self.server_name), texts.title, texts.code);
        let mut html = Zeroizing::new(format!(
            "<!DOCTYPE html>\n<html lang=\"{code}\">\n<meta charset=\"utf-8\">\n<meta name=\"robots\" content=\"noindex\">\n\
             <title>{server}: {title}</title>\n<style>\n{}</style>\n<main>\n",
            include_str!("cards.css")
        ));
        for card in cards {
            let svg = QrMatrix::encode(card.link)?.to_inline_svg();
            let person = escape(card.display_name.unwrap_or(card.name.as_str()));
            let groups: Vec<&str> = card.groups.iter().map(GroupName::as_str).collect();
            // What says whose card it is stands above the rest, with room for long names.
            let _ = write!(html, "<article>\n<header>\n<p>{server}</p>\n<h2>{person}</h2>\n");
            if !groups.is_empty() {
                let _ = writeln!(html, "<p>{}</p>", escape(&groups.join(", ")));
            }
            let _ = write!(
                html,
                "</header>\n{}<div>\n<dl><dt>{}</dt><dd>{}</dd>",
                *svg,
                texts.account,
                escape(card.name.as_str())
            );
            if let Some(password) = card.password {
                let _ = write!(html, "<dt>{}</dt><dd>{}</dd>", texts.password, escape(password));
            }
            let _ = write!(html, "</dl>\n<p class=\"how\">{} {end}.</p>\n</div></article>\n", texts.how);
        }
        html.push_str("</main>\n</html>\n");
        Ok(html)
    }
}

/// Writes a text so that it is one in HTML, and in a value of an attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_on_the_page() {
        let name = Nick::parse("mallory").expect("a name");
        let card = Card {
            name: &name,
            display_name: Some("<script>alert('&')</script>"),
            groups: &[GroupName::parse("3b & <4c>").expect("a name")],
            password: Some("bako-rimu"),
            link: "parlour://chat.example.org/?pin=x&token=y",
        };
        let page =
            CardPage { server_name: "School \"A\"", language: Language::De, expires: Duration::from_mins(1) };
        let html = page.to_html(&[card]).expect("a page");
        assert!(html.contains("<h2>&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;</h2>"), "{}", *html);
        assert!(html.contains(">3b &amp; &lt;4c&gt;<") && html.contains("<dd>bako-rimu</dd>"));
        assert!(html.contains("<title>School &quot;A&quot;: Karten</title>") && html.contains("lang=\"de\""));
        // Nothing is loaded from elsewhere, and the link is in the code only.
        assert!(!html.contains("src=") && !html.contains("href=") && !html.contains("token=y"));
    }
}
