//! A terminal whose programs never show anything: sessions on it never get ready.

use agentmux_core::input::Key;
use agentmux_core::screen::Screen;
use agentmux_core::terminal::{Activity, Answer, Launch, Pane, PaneId, Pulse, Terminal};
use tokio::sync::watch;

pub(super) struct Mute;

impl Terminal for Mute {
    /// Panics for a session named `defect`, as a defect of ours would.
    fn spawn(&self, launch: Launch) -> Answer<'_, Pane> {
        assert_ne!(launch.name.as_str(), "defect", "this panic belongs to a test");
        let id = PaneId::new(launch.name.as_str());
        let pane = Pane { id, target: format!("{}:0.0", launch.name), label: Some(launch.label) };
        Box::pin(async { Ok(pane) })
    }

    fn panes(&self) -> Answer<'_, Vec<Pane>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn read<'a>(&'a self, _: &'a PaneId, _: u32) -> Answer<'a, Screen> {
        Box::pin(async { Ok(Screen::default()) })
    }

    fn paste<'a>(&'a self, _: &'a PaneId, _: &'a str) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn keys<'a>(&'a self, _: &'a PaneId, _: &'a [Key]) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn kill<'a>(&'a self, _: &'a PaneId) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn activity(&self, _: &PaneId) -> Activity {
        Activity::new(watch::channel(Pulse::default()).1)
    }
}
