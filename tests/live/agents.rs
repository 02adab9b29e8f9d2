//! The agents: what each needs in its user's home to work with the stand-in, and how it differs from the others.

use std::path::Path;

use serde_json::json;

use crate::harness::Setup;
use crate::standin::StandIn;

/// A real agent, as the daemon's profiles name it.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) name: &'static str,
    /// Adds its user's settings and variables.
    pub(super) seed: fn(Setup, &StandIn, Folder) -> Setup,
    /// The prompt in what reaches the model: some put a text of their own around it.
    pub(crate) prompt_in: fn(&str) -> &str,
    /// What it makes of a prompt by itself, as `docs/profiles.md` tells.
    pub(crate) made_of: fn(&str) -> String,
    /// What can be read of its reply.
    pub(crate) reply: Reply,
    /// What is known of an error of the model.
    pub(crate) error: Failure,
    /// Its own command to end it.
    pub(crate) exit: &'static str,
}

/// What the agent has to ask when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folder {
    /// Nothing: the folder is known to it.
    Trusted,
    /// Whether the folder is to be trusted, and what else it asks a user whom it does not know.
    Strange,
}

/// What can be read of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// All of it, in the agent's own words: it hands them over.
    Own,
    /// All of it, as far as its form can be seen.
    Whole,
}

/// What a turn tells of an error of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It has failed, and why.
    Told,
    /// It has a reply that says so.
    Reply,
}

pub(crate) const CLAUDE: Agent = Agent {
    name: "claude",
    seed: claude,
    prompt_in: all_of_it,
    // It puts four blanks for a tab, and composes letters.
    made_of: |text| text.replace('\t', "    ").replace("e\u{301}", "é"),
    reply: Reply::Own,
    error: Failure::Told,
    exit: "/exit",
};

pub(super) const CLAUDE_SUBSCRIBER: Agent = Agent { seed: claude_subscriber, ..CLAUDE };

pub(crate) const CODEX: Agent = Agent {
    name: "codex",
    seed: codex,
    prompt_in: all_of_it,
    made_of: |text| text.trim().to_owned(),
    reply: Reply::Own,
    error: Failure::Told,
    exit: "/quit",
};

pub(crate) const GEMINI: Agent = Agent {
    name: "gemini",
    seed: gemini,
    prompt_in: all_of_it,
    made_of: |text| text.trim().to_owned(),
    // It takes no hooks from below a folder that others may write to, as `/tmp` is: here its screen is read.
    reply: Reply::Whole,
    error: Failure::Told,
    exit: "/quit",
};

pub(crate) const OPENCODE: Agent = Agent {
    name: "opencode",
    seed: opencode,
    prompt_in: all_of_it,
    // It puts a blank behind what it shows as a paste.
    made_of: |text| {
        if text.lines().count() > 2 || text.len() > 150 { format!("{text} ") } else { text.to_owned() }
    },
    reply: Reply::Own,
    error: Failure::Told,
    exit: "/exit",
};

pub(crate) const QWEN: Agent = Agent {
    name: "qwen",
    seed: qwen,
    prompt_in: all_of_it,
    made_of: |text| text.trim().to_owned(),
    reply: Reply::Own,
    error: Failure::Told,
    exit: "/quit",
};

pub(crate) const COPILOT: Agent = Agent {
    name: "copilot",
    seed: copilot,
    // It says first what time it is.
    prompt_in: |text| text.split_once("</current_datetime>\n\n").map_or(text, |(_, prompt)| prompt),
    made_of: |text| text.trim().replace('\t', "    "),
    reply: Reply::Own,
    error: Failure::Told,
    exit: "/exit",
};

pub(crate) const AIDER: Agent = Agent {
    name: "aider",
    seed: aider,
    // It says behind each prompt how to answer.
    prompt_in: |text| {
        text.split_once("\n\n# *SEARCH/REPLACE block* Rules:").map_or(text, |(prompt, _)| prompt)
    },
    made_of: str::to_owned,
    reply: Reply::Own,
    error: Failure::Reply,
    exit: "/exit",
};

fn all_of_it(text: &str) -> &str {
    text
}

/// Not a real key. Claude Code asks about each key that it does not know by its last 20 characters.
const CLAUDE_KEY: &str = "sk-ant-api03-not-a-real-key-00000000000000000000";

/// Claude Code's user asks to be asked before a command runs, which is not today's default.
pub(crate) const CLAUDE_SETTINGS: &str = r#"{"permissions": {"defaultMode": "manual"}}"#;

fn claude(setup: Setup, model: &StandIn, folder: Folder) -> Setup {
    claude_home(setup, model, folder).env("ANTHROPIC_API_KEY", CLAUDE_KEY)
}

/// The login of a subscription: its limits are told by the service, and Claude Code waits for their end.
fn claude_subscriber(setup: Setup, model: &StandIn, folder: Folder) -> Setup {
    let login = json!({
        "accessToken": "sk-ant-oat01-not-a-real-token", "refreshToken": "sk-ant-ort01-not-a-real-token",
        "expiresAt": 4_102_444_800_000_u64, "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
    });
    claude_home(setup, model, folder)
        .write(".claude/.credentials.json", &json!({"claudeAiOauth": login}).to_string())
}

fn claude_home(setup: Setup, model: &StandIn, folder: Folder) -> Setup {
    let mut known = json!({
        "hasCompletedOnboarding": true,
        "customApiKeyResponses": {"approved": [CLAUDE_KEY[CLAUDE_KEY.len() - 20..]], "rejected": []},
    });
    if folder == Folder::Trusted {
        known["projects"] = json!({work(&setup): {"hasTrustDialogAccepted": true}});
        known["hasSeenAutoDefaultNudge"] = true.into();
    }
    setup
        .write(".claude.json", &known.to_string())
        .write(".claude/settings.json", CLAUDE_SETTINGS)
        .env("ANTHROPIC_BASE_URL", &model.url())
        .env("DISABLE_AUTOUPDATER", "1")
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
}

/// Codex asks only in a git repository whether it is to be trusted.
fn codex(setup: Setup, model: &StandIn, folder: Folder) -> Setup {
    let config = format!(
        r#"
model = "gpt-5"
model_provider = "standin"
[model_providers.standin]
name = "standin"
base_url = "{}/v1"
wire_api = "responses"
env_key = "STANDIN_KEY"
[analytics]
enabled = false
"#,
        model.url()
    );
    let setup = setup.write(".codex/config.toml", &config).env("STANDIN_KEY", "none");
    if folder == Folder::Strange { repository(setup) } else { setup }
}

fn gemini(setup: Setup, model: &StandIn, folder: Folder) -> Setup {
    let settings = json!({
        "security": {
            "auth": {"selectedType": "gemini-api-key"},
            "folderTrust": {"enabled": folder == Folder::Strange},
        },
        "general": {"enableAutoUpdate": false, "enableAutoUpdateNotification": false},
        "privacy": {"usageStatisticsEnabled": false},
    });
    setup
        .write(".gemini/settings.json", &settings.to_string())
        .env("GEMINI_API_KEY", "none")
        .env("GOOGLE_GEMINI_BASE_URL", &model.url())
}

/// OpenCode has nothing to ask when it starts.
fn opencode(setup: Setup, model: &StandIn, _: Folder) -> Setup {
    let provider = json!({
        "npm": "@ai-sdk/openai-compatible", "name": "Stand-in",
        "options": {"baseURL": format!("{}/v1", model.url()), "apiKey": "none"},
        "models": {"standin": {"name": "Stand-in", "limit": {"context": 32000, "output": 4096}}},
    });
    let settings = json!({
        "autoupdate": false, "share": "disabled", "enabled_providers": ["standin"],
        "model": "standin/standin", "small_model": "standin/standin", "provider": {"standin": provider},
        "permission": {"bash": "ask", "edit": "ask"},
    });
    setup
        .write(".config/opencode/opencode.json", &settings.to_string())
        .env("OPENCODE_DISABLE_MODELS_FETCH", "1")
        .env("OPENCODE_DISABLE_LSP_DOWNLOAD", "1")
}

/// Qwen Code has nothing to ask when it starts.
fn qwen(setup: Setup, model: &StandIn, _: Folder) -> Setup {
    let settings = json!({
        "ui": {"autoModeAcknowledged": true, "enableFollowupSuggestions": false},
        "memory": {"enableManagedAutoMemory": false, "enableManagedAutoDream": false},
        "general": {"disableAutoUpdate": true, "enableAutoUpdate": false},
        "privacy": {"usageStatisticsEnabled": false}, "telemetry": {"enabled": false},
        "security": {"auth": {"selectedType": "openai"}},
    });
    setup
        .write(".qwen/settings.json", &settings.to_string())
        .env("OPENAI_API_KEY", "none")
        .env("OPENAI_BASE_URL", &format!("{}/v1", model.url()))
        .env("OPENAI_MODEL", "standin")
}

fn copilot(setup: Setup, model: &StandIn, folder: Folder) -> Setup {
    let trusted = if folder == Folder::Trusted { vec![work(&setup)] } else { Vec::new() };
    let settings = json!({"banner": "never", "trusted_folders": trusted, "trustedFolders": trusted, "auto_update": false});
    setup
        .write(".copilot/config.json", &settings.to_string())
        .env("COPILOT_PROVIDER_BASE_URL", &format!("{}/v1", model.url()))
        .env("COPILOT_PROVIDER_API_KEY", "none")
        .env("COPILOT_MODEL", "standin")
        .env("COPILOT_AUTO_UPDATE", "false")
}

/// Aider works in a git repository. With a model that it knows it edits by blocks, and proposes commands.
fn aider(setup: Setup, model: &StandIn, _: Folder) -> Setup {
    repository(setup)
        .write(".gitconfig", "[user]\nname = nobody\nemail = nobody@localhost\n")
        .env("AIDER_MODEL", "openai/gpt-4o")
        .env("OPENAI_API_KEY", "none")
        .env("OPENAI_API_BASE", &format!("{}/v1", model.url()))
        .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
}

/// The folder that the agent works in, as it names it.
fn work(setup: &Setup) -> String {
    let path = setup.file("work").canonicalize().unwrap();
    path.to_str().unwrap().to_owned()
}

/// Makes the working folder an empty git repository.
fn repository(setup: Setup) -> Setup {
    for folder in ["objects", "refs"] {
        std::fs::create_dir_all(setup.file("work/.git").join(Path::new(folder))).unwrap();
    }
    setup.write("work/.git/HEAD", "ref: refs/heads/main\n")
}
