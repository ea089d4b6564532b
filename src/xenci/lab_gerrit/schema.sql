-- One site. A change here counts VERSION in store.py up. Times are seconds since 1970, UTC. JSON columns hold what the REST API shows for that thing.
CREATE TABLE site (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY, username TEXT UNIQUE, name TEXT, display_name TEXT, email TEXT, status TEXT,
  active INTEGER NOT NULL DEFAULT 1, registered_on INTEGER NOT NULL, preferences TEXT NOT NULL DEFAULT '{}');
CREATE TABLE emails (
  account INTEGER NOT NULL REFERENCES accounts (id), email TEXT NOT NULL UNIQUE, PRIMARY KEY (account, email));
CREATE TABLE ssh_keys (
  account INTEGER NOT NULL REFERENCES accounts (id), seq INTEGER NOT NULL, algorithm TEXT NOT NULL,
  encoded TEXT NOT NULL, comment TEXT NOT NULL DEFAULT '', valid INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (account, seq));
-- HTTP passwords and tokens are the same thing since 3.13: a password is a token with a name of its own.
CREATE TABLE tokens (
  account INTEGER NOT NULL REFERENCES accounts (id), id TEXT NOT NULL, salt BLOB NOT NULL, hash BLOB NOT NULL,
  expires INTEGER, PRIMARY KEY (account, id));

CREATE TABLE groups (
  id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL DEFAULT '',
  owner_uuid TEXT NOT NULL, visible_to_all INTEGER NOT NULL DEFAULT 0, created_on INTEGER NOT NULL);
CREATE TABLE group_members (
  group_id INTEGER NOT NULL REFERENCES groups (id), account INTEGER NOT NULL REFERENCES accounts (id),
  PRIMARY KEY (group_id, account));
CREATE TABLE group_includes (
  group_id INTEGER NOT NULL REFERENCES groups (id), uuid TEXT NOT NULL, PRIMARY KEY (group_id, uuid));
CREATE TABLE group_audit (
  seq INTEGER PRIMARY KEY, group_id INTEGER NOT NULL REFERENCES groups (id), type TEXT NOT NULL,
  actor INTEGER NOT NULL, member TEXT NOT NULL, date INTEGER NOT NULL);

-- config: submit_type, state-like switches, everything of ProjectConfigInput that is not a column.
CREATE TABLE projects (
  name TEXT PRIMARY KEY, parent TEXT REFERENCES projects (name), description TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'ACTIVE', config TEXT NOT NULL DEFAULT '{}');
-- definition: LabelDefinitionInfo without name and project_name.
CREATE TABLE labels (
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE, name TEXT NOT NULL, definition TEXT NOT NULL,
  PRIMARY KEY (project, name));
-- definition: SubmitRequirementInfo without name.
CREATE TABLE submit_requirements (
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE, name TEXT NOT NULL, definition TEXT NOT NULL,
  PRIMARY KEY (project, name));
-- permissions: as in ProjectAccessInfo.local[ref].permissions; ref may be GLOBAL_CAPABILITIES.
CREATE TABLE access_sections (
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE, ref TEXT NOT NULL, permissions TEXT NOT NULL,
  PRIMARY KEY (project, ref));

-- touched: counts updates of the site, so that lists are in order within a second too.
CREATE TABLE changes (
  number INTEGER PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (name), branch TEXT NOT NULL,
  change_id TEXT NOT NULL, subject TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'NEW',
  owner INTEGER NOT NULL REFERENCES accounts (id), topic TEXT, created INTEGER NOT NULL, updated INTEGER NOT NULL, touched INTEGER NOT NULL DEFAULT 0,
  submitted INTEGER, submitter INTEGER, submission_id TEXT, private INTEGER NOT NULL DEFAULT 0,
  wip INTEGER NOT NULL DEFAULT 0, review_started INTEGER NOT NULL DEFAULT 1, current INTEGER NOT NULL DEFAULT 1,
  revert_of INTEGER, cherry_pick_of INTEGER, cherry_pick_of_ps INTEGER, meta_rev TEXT NOT NULL DEFAULT '',
  custom TEXT NOT NULL DEFAULT '{}');
CREATE INDEX changes_by_key ON changes (change_id);
CREATE INDEX changes_by_branch ON changes (project, branch, status);
-- commit_info: {author, committer: {name, email, date, tz}, message, parents: [sha]}; files: {path: FileInfo}.
CREATE TABLE patch_sets (
  change INTEGER NOT NULL REFERENCES changes (number) ON DELETE CASCADE, number INTEGER NOT NULL,
  revision TEXT NOT NULL, uploader INTEGER NOT NULL, real_uploader INTEGER, created INTEGER NOT NULL,
  kind TEXT NOT NULL, description TEXT, subject TEXT NOT NULL, commit_info TEXT NOT NULL, files TEXT NOT NULL,
  groups TEXT NOT NULL DEFAULT '[]', PRIMARY KEY (change, number));
CREATE INDEX patch_sets_by_revision ON patch_sets (revision);
CREATE TABLE approvals (
  change INTEGER NOT NULL REFERENCES changes (number) ON DELETE CASCADE, patch_set INTEGER NOT NULL,
  account INTEGER NOT NULL, label TEXT NOT NULL, value INTEGER NOT NULL, granted INTEGER NOT NULL, tag TEXT,
  post_submit INTEGER NOT NULL DEFAULT 0, copied INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (change, patch_set, account, label));
CREATE TABLE messages (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, change INTEGER NOT NULL REFERENCES changes (number) ON DELETE CASCADE,
  patch_set INTEGER, author INTEGER, real_author INTEGER, date INTEGER NOT NULL, text TEXT NOT NULL, tag TEXT);
CREATE INDEX messages_by_change ON messages (change);
-- position: {line, range, side, parent, in_reply_to} as far as given.
CREATE TABLE comments (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, change INTEGER NOT NULL REFERENCES changes (number) ON DELETE CASCADE,
  patch_set INTEGER NOT NULL, draft INTEGER NOT NULL DEFAULT 0, author INTEGER NOT NULL, path TEXT NOT NULL,
  text TEXT NOT NULL, position TEXT NOT NULL DEFAULT '{}', unresolved INTEGER NOT NULL DEFAULT 0,
  updated INTEGER NOT NULL, tag TEXT, message TEXT, UNIQUE (change, id));
CREATE TABLE reviewers (
  change INTEGER NOT NULL REFERENCES changes (number) ON DELETE CASCADE, account INTEGER NOT NULL,
  state TEXT NOT NULL, updated INTEGER NOT NULL, PRIMARY KEY (change, account));
CREATE TABLE reviewer_updates (
  seq INTEGER PRIMARY KEY, change INTEGER NOT NULL REFERENCES changes (number) ON DELETE CASCADE,
  updated INTEGER NOT NULL, actor INTEGER NOT NULL, reviewer INTEGER NOT NULL, state TEXT NOT NULL);
CREATE TABLE hashtags (
  change INTEGER NOT NULL REFERENCES changes (number) ON DELETE CASCADE, name TEXT NOT NULL, PRIMARY KEY (change, name));
CREATE TABLE attention (
  change INTEGER NOT NULL REFERENCES changes (number) ON DELETE CASCADE, account INTEGER NOT NULL,
  active INTEGER NOT NULL, updated INTEGER NOT NULL, reason TEXT NOT NULL, reason_account INTEGER,
  PRIMARY KEY (change, account));
CREATE TABLE stars (
  account INTEGER NOT NULL, change INTEGER NOT NULL REFERENCES changes (number) ON DELETE CASCADE,
  PRIMARY KEY (account, change));

-- Refs that a committed transaction still owes to git; a restart pays what a crash left here.
CREATE TABLE pending_refs (
  seq INTEGER PRIMARY KEY, project TEXT NOT NULL, ref TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL);
