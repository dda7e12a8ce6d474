//! Pictures in a terminal that the test plays: it answers the client's queries, or does not.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{Rgb, RgbImage};

use super::file_scripts::server_with_files;
use super::terminal::{Terminal, chat_command};
use crate::support::script::run_script;
use crate::support::{Client, Home, Server};

/// Beginning of a sequence of each protocol for pictures.
const PROTOCOLS: [&str; 3] = ["\u{1b}_G", "\u{1b}P", "\u{1b}]1337"];

/// A picture of 40×60 pixels, which is 4×3 cells of 10×20.
fn write_picture(home: &Home) -> (String, RgbImage) {
    let picture = RgbImage::from_fn(40, 60, |x, y| {
        Rgb([u8::try_from(x * 6).expect("small"), u8::try_from(y * 4).expect("small"), 99])
    });
    let path = home.path("photo.png");
    picture.save(&path).expect("written");
    (path.to_str().expect("UTF-8").to_owned(), picture)
}

/// Starts the chat in a terminal that gives these answers to the first query.
fn start_chat(answers: &str) -> (Server, Client, Terminal) {
    let (server, alice) = server_with_files();
    let mut terminal = Terminal::new(chat_command(&server.home));
    terminal.wait_for("\u{1b}[>q\u{1b}[16t\u{1b}[14t\u{1b}[c");
    terminal.press(answers);
    (server, alice, terminal)
}

#[test]
fn a_kitty_shows_a_picture_below_its_message() {
    let (server, _alice, mut terminal) =
        start_chat("\u{1b}P>|kitty(0.35.2)\u{1b}\\\u{1b}[6;20;10t\u{1b}[?62;c");
    terminal.wait_for("\u{1b}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1b}\\");
    terminal.press("\u{1b}_Gi=31;OK\u{1b}\\\u{1b}[?62;c");
    terminal.wait_for("write to #lobby");
    let (path, picture) = write_picture(&server.home);
    run_script(&server.home, &["send", "#lobby", "--file", &path, "look"], "", 0);
    terminal.wait_for("photo.png");
    // The picture as it was, in a box of its size.
    terminal.wait_for("\u{1b}_Ga=T,U=1,q=2,f=100,t=d,i=");
    let number: u32 = terminal.wait_for(",").trim_end_matches(',').parse().expect("a number");
    assert_eq!(terminal.wait_for("m="), "c=4,r=3,m=");
    let command = terminal.wait_for("\u{1b}\\");
    let data = command.strip_prefix("0;").and_then(|rest| rest.strip_suffix("\u{1b}\\")).expect("one chunk");
    let shown = image::load_from_memory(&STANDARD.decode(data).expect("base64")).expect("a picture");
    assert_eq!(shown.into_rgb8(), picture);
    // The placeholders have its number as their colour.
    let [_, red, green, blue] = number.to_be_bytes();
    let mut first_row = format!("\u{1b}[0;38;2;{red};{green};{blue}m");
    let _ = write!(first_row, "\u{10eeee}\u{305}\u{305}");
    terminal.wait_for(&first_row);
    terminal.wait_for("\u{10eeee}\u{30e}\u{310}");
    // Nothing is left in the terminal.
    terminal.press("/quit\r");
    terminal.wait_for(&format!("\u{1b}_Ga=d,d=I,q=2,i={number}\u{1b}\\"));
    terminal.assert_ended();
}

#[test]
fn the_viewer_shows_a_picture_by_sixel_and_takes_it_away() {
    let (server, _alice, mut terminal) =
        start_chat("\u{1b}P>|foot(1.16.2)\u{1b}\\\u{1b}[6;20;10t\u{1b}[?62;4;22c");
    terminal.wait_for("\u{1b}[?1;1;0S\u{1b}[?2;1;0S\u{1b}[c");
    terminal.press("\u{1b}[?1;0;256S\u{1b}[?62;4;22c");
    terminal.wait_for("write to #lobby");
    let (path, _) = write_picture(&server.home);
    run_script(&server.home, &["send", "#lobby", "--file", &path], "", 0);
    let picture = "\"1;1;40;60#";
    terminal.wait_for(picture);
    terminal.press("\u{1b}[1;3A");
    terminal.wait_for("view");
    terminal.press("v");
    terminal.wait_for("closes");
    terminal.wait_for(picture);
    // Esc, in the form that needs no pause behind it.
    terminal.press("\u{1b}[27u");
    terminal.wait_for(picture);
    terminal.press("\u{1b}[27u/quit\r");
    terminal.assert_ended();
}

/// Shares a picture and opens it in the viewer. Returns everything that the client has written since.
fn output_with_a_picture(server: &Server, alice: &mut Client, terminal: &mut Terminal) -> String {
    let mut output = terminal.wait_for("write to #lobby");
    let (path, _) = write_picture(&server.home);
    run_script(&server.home, &["send", "#lobby", "--file", &path], "", 0);
    output += &terminal.wait_for("photo.png");
    terminal.press("\u{1b}[1;3A");
    output += &terminal.wait_for("Esc back");
    terminal.press("v");
    // Cells that stay the same are not written again, and so not the whole sentence.
    output += &terminal.wait_for("; o saves them");
    alice.send("PRIVMSG #lobby :quux");
    output += &terminal.wait_for("quux");
    terminal.press("\u{1b}[27u/quit\r");
    output + &terminal.wait_for("\u{1b}[?1049l")
}

#[test]
fn a_terminal_that_shows_no_pictures_is_sent_none() {
    for answers in [
        // It does not answer at all.
        "",
        "\u{1b}[?1;2c",
        "\u{1b}P>|tmux 3.3a\u{1b}\\\u{1b}[6;20;10t\u{1b}[?1;2c",
        "\u{1b}P>|VTE(7600)\u{1b}\\\u{1b}[6;20;10t\u{1b}[?65;1;9c",
    ] {
        let (server, mut alice, mut terminal) = start_chat(answers);
        let output = output_with_a_picture(&server, &mut alice, &mut terminal);
        for protocol in PROTOCOLS {
            assert!(!output.contains(protocol), "{answers:?}: {output:?}");
        }
    }
}
