//! Changes of settings by the user, and their effect on the screen.

use crate::client::screen::view::clock::to_zoned;
use crate::client::screen::view::theme::Theme;
use crate::client::screen::workspace::{ScreenEffect, Workspace};
use crate::client::settings::Settings;
use crate::wire::Timestamp;

impl Workspace {
    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes over settings.
    pub fn apply_settings(&mut self, settings: Settings) {
        self.display.theme =
            Theme::from_settings(&settings, self.display.theme.depth, self.display.detected_background);
        self.settings = settings;
        self.update_filters();
    }

    /// Changes a setting, and has it saved. The error is a text for the user.
    pub fn change_setting(&mut self, name: &str, value: &str) -> Result<(), String> {
        let mut settings = self.settings.clone();
        settings.set(name, value)?;
        self.apply_settings(settings);
        self.effects.push(ScreenEffect::SaveSetting(name.to_owned()));
        Ok(())
    }

    /// Formats a time as the user chose, in their time zone.
    pub fn format_time(&self, time: Timestamp) -> String {
        self.settings.time_format.format(&to_zoned(time, &self.display.zone))
    }
}
