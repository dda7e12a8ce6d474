//! Invites: links, and connections that redeem them.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::{ALL_CAPABILITIES, Client, Line, Server};

/// Returns the token in a link.
#[track_caller]
pub fn link_token(link: &str) -> &str {
    let (_, token) = link.split_once("token=").unwrap_or_else(|| panic!("no token in {link:?}"));
    token.split('&').next().expect("a first part")
}

/// Connects up to the point where REGISTER is possible, with this nick and this token.
#[track_caller]
pub fn connect_as_guest(server: &Server, token: Option<&str>, nick: &str) -> Client {
    let mut client = Client::connect(server);
    client.send("CAP LS 302");
    if let Some(token) = token {
        client.send(&format!("PASS {token}"));
    }
    client.send_nick_and_user(nick);
    client.request_capabilities(&format!("sasl draft/account-registration {ALL_CAPABILITIES}"));
    client
}

/// Registers an account. Returns the reply: `REGISTER SUCCESS …` or `FAIL REGISTER …`.
#[track_caller]
pub fn register_account(client: &mut Client, name: &str, password: &str) -> Line {
    client.send(&format!("REGISTER {name} * {password}"));
    client.wait_for_line("the result of REGISTER", |l| {
        l.starts_with("REGISTER") || l.starts_with("FAIL REGISTER") || l.command == "461"
    })
}

/// Registers an account by a link. Returns the reply without tags.
#[track_caller]
pub fn redeem(server: &Server, link: &str, name: &str, password: &str) -> String {
    register_account(&mut connect_as_guest(server, Some(link_token(link)), name), "*", password).to_string()
}

/// Decodes the first QR code in a page, an SVG element whose modules are squares of one unit: `M4 4h1v1H4V4`.
#[track_caller]
pub fn decode_inline_qr(html: &str) -> String {
    /// Pixels of a module: readers do not recognize those of one.
    const ZOOM: usize = 4;
    let attribute = |name: &str| {
        let (_, value) = html.split_once(&format!(" {name}=\"")).expect("an SVG");
        value.split_once('"').expect("an attribute").0
    };
    let numbers = |text: &str| -> Vec<usize> {
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
    };
    let side = *numbers(attribute("viewBox")).last().expect("a size");
    let mut is_dark = vec![false; side * side];
    for module in attribute("d").split('M').skip(1) {
        let at = numbers(module);
        let [x, y, width, height, ..] = at[..] else { panic!("{module}") };
        for row in y..y + height {
            is_dark[row * side + x..][..width].fill(true);
        }
    }
    let pixel = |x: usize, y: usize| if is_dark[y / ZOOM * side + x / ZOOM] { 0 } else { 255 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side * ZOOM, side * ZOOM, pixel);
    let grids = image.detect_grids();
    grids.first().expect("a code").decode().expect("a text").1
}

/// Decodes the QR code in a PNG.
#[track_caller]
pub fn decode_qr(path: &Path) -> String {
    let decoder = png::Decoder::new(BufReader::new(File::open(path).expect("an image")));
    let mut reader = decoder.read_info().expect("a PNG");
    let mut bits = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut bits).expect("an image");
    let (width, height) = (info.width as usize, info.height as usize);
    let pixel =
        |x: usize, y: usize| if bits[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 1 { 255 } else { 0 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
    let grids = image.detect_grids();
    grids.first().expect("a code").decode().expect("a text").1
}
