"""Changes as the REST API shows them (ChangeInfo and its parts)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from xenci.lab_gerrit import attributes, javahash, requirements
from xenci.lab_gerrit.accounts import Account, account_info
from xenci.lab_gerrit.batch import change_ref
from xenci.lab_gerrit.commits import Commit, Ident
from xenci.lab_gerrit.labels import Label, padded
from xenci.lab_gerrit.rest.call import RestError, timestamp
from xenci.lab_gerrit.server import Server, short_ref
from xenci.lab_gerrit.store import Row, loads
from xenci.lab_gerrit.views import MAGIC, ChangeView

# Bit numbers are Gerrit's (ListChangesOption): `O=` is their sum in hex.
OPTIONS = (
    "LABELS",
    "CURRENT_REVISION",
    "ALL_REVISIONS",
    "CURRENT_COMMIT",
    "ALL_COMMITS",
    "CURRENT_FILES",
    "ALL_FILES",
    "DETAILED_ACCOUNTS",
    "DETAILED_LABELS",
    "MESSAGES",
    "CURRENT_ACTIONS",
    "REVIEWED",
    "",
    "DOWNLOAD_COMMANDS",
    "WEB_LINKS",
    "CHECK",
    "CHANGE_ACTIONS",
    "COMMIT_FOOTERS",
    "PUSH_CERTIFICATES",
    "REVIEWER_UPDATES",
    "SUBMITTABLE",
    "TRACKING_IDS",
    "SKIP_MERGEABLE",
    "SKIP_DIFFSTAT",
    "SUBMIT_REQUIREMENTS",
    "CUSTOM_KEYED_VALUES",
    "STAR",
    "PARENTS",
)
DETAIL = frozenset({"LABELS", "DETAILED_LABELS", "DETAILED_ACCOUNTS", "MESSAGES", "REVIEWER_UPDATES"})


def options(names: Iterable[str], bits: str | None) -> frozenset[str]:
    """Options of a request; 400 for one that there is none of."""
    found = set()
    for name in names:
        if name not in OPTIONS or not name:
            raise RestError(400, f'"{name}" is not a valid value for "-o"')
        found.add(name)
    if bits:
        number = int(bits, 16)
        found |= {name for place, name in enumerate(OPTIONS) if name and number >> place & 1}
    return frozenset(found)


class Describer:
    """Makes ChangeInfo for one asking account with one set of options."""

    def __init__(self, server: Server, account: Account | None, wanted: frozenset[str] = frozenset()) -> None:
        self._server = server
        self._account = account
        self._wanted = wanted
        self._detailed = "DETAILED_ACCOUNTS" in wanted

    def account(self, number: int | None) -> dict[str, Any]:
        """AccountInfo, as detailed as the options ask."""
        account = self._server.accounts.get(number) if number is not None else None
        if account is None:
            return {}
        info = account_info(account, detailed=self._detailed)
        if self._detailed and self._is_service_user(account.id):
            info["tags"] = ["SERVICE_USER"]
        return info

    def _is_service_user(self, number: int) -> bool:
        return self._server.is_service_user(number)

    def change(self, view: ChangeView) -> dict[str, Any]:
        """ChangeInfo."""
        row, wanted = view.row, self._wanted
        info: dict[str, Any] = {
            "id": f"{quote(view.project, safe='')}~{view.number}",
            "triplet_id": triplet(row),
            "project": view.project,
            "branch": short_ref(view.branch),
        }
        if row["topic"]:
            info["topic"] = row["topic"]
        if view.attention:
            info |= self._attention(view)
        info |= {"hashtags": view.hashtags, "change_id": row["change_id"], "subject": row["subject"]}
        info |= {
            "status": row["status"],
            "created": timestamp(row["created"]),
            "updated": timestamp(row["updated"]),
        }
        if row["status"] == "MERGED":
            info |= {"submitted": timestamp(row["submitted"]), "submitter": self.account(row["submitter"])}
        elif row["status"] == "NEW":
            info["submit_type"] = self._server.settings.config(view.project, "submit_type")
        if "REVIEWED" in wanted and self._reviewed(view):
            info["reviewed"] = True
        if "SUBMITTABLE" in wanted and row["status"] == "NEW":
            info["submittable"] = not row["wip"] and requirements.submittable(view)
        if "SKIP_DIFFSTAT" not in wanted:
            info |= {"insertions": view.insertions, "deletions": view.deletions}
        info |= {"total_comment_count": len(view.comments), "unresolved_comment_count": view.unresolved}
        info |= {
            key: True for key, on in (("is_private", row["private"]), ("work_in_progress", row["wip"])) if on
        }
        if row["review_started"]:
            info["has_review_started"] = True
        if row["submission_id"]:
            info["submission_id"] = row["submission_id"]
        for key, column in (
            ("revert_of", "revert_of"),
            ("cherry_pick_of_change", "cherry_pick_of"),
            ("cherry_pick_of_patch_set", "cherry_pick_of_ps"),
        ):
            if row[column]:
                info[key] = row[column]
        info |= {"meta_rev_id": row["meta_rev"], "_number": view.number, "virtual_id_number": view.number}
        info["owner"] = self.account(row["owner"])
        self._more(view, info)
        return info

    def _more(self, view: ChangeView, info: dict[str, Any]) -> None:
        """What only some options ask for, and the keys that stand at the end."""
        wanted = self._wanted
        if "CHANGE_ACTIONS" in wanted or "CURRENT_ACTIONS" in wanted:
            info["actions"] = self._change_actions(view)
        if wanted & {"LABELS", "DETAILED_LABELS"}:
            self._votes(view, info)
        if "REVIEWER_UPDATES" in wanted:
            info["reviewer_updates"] = self._reviewer_updates(view)
        if "CUSTOM_KEYED_VALUES" in wanted:
            info["custom_keyed_values"] = loads(view.row["custom"])
        if "MESSAGES" in wanted:
            info["messages"] = [self.message(view, row) for row in view.messages]
        if "CHECK" in wanted:
            info["problems"] = []
        if "TRACKING_IDS" in wanted:
            info["tracking_ids"] = []
        if wanted & {"STAR", "CHECK"} and self._starred(view):
            info["starred"] = True
        info["current_revision_number"] = view.row["current"]
        if wanted & {"CURRENT_REVISION", "ALL_REVISIONS"}:
            info["current_revision"] = view.current["revision"]
            rows = view.patch_sets if "ALL_REVISIONS" in wanted else [view.current]
            info["revisions"] = {row["revision"]: self.revision(view, row) for row in rows}
            if loads(view.current["commit_info"]).get("conflicts", {}).get("contains_conflicts"):
                info["contains_git_conflicts"] = True
        info["requirements"] = []
        never_submitted = view.row["status"] == "ABANDONED" or _pushed_directly(view)
        info["submit_records"] = [] if never_submitted else [self._submit_record(view)]
        if "SUBMIT_REQUIREMENTS" in wanted:
            info["submit_requirements"] = requirements.results(view)

    def _attention(self, view: ChangeView) -> dict[str, Any]:
        sets: dict[str, dict[str, Any]] = {"attention_set": {}, "removed_from_attention_set": {}}
        for row in view.attention:
            entry = {
                "account": self.account(row["account"]),
                "last_update": timestamp(row["updated"]),
                "reason": row["reason"],
            }
            if row["reason_account"] is not None and "<GERRIT_ACCOUNT_" in row["reason"]:
                entry["reason_account"] = self.account(row["reason_account"])
            sets["attention_set" if row["active"] else "removed_from_attention_set"][str(row["account"])] = (
                entry
            )
        return sets

    def _reviewed(self, view: ChangeView) -> bool:
        mine = self._account.id if self._account else None
        spoken = [row["date"] for row in view.messages if row["author"] == mine]
        owners = [row["date"] for row in view.messages if row["author"] == view.row["owner"]]
        return bool(spoken) and max(spoken) >= max(owners, default=0)

    def _starred(self, view: ChangeView) -> bool:
        mine = self._account.id if self._account else None
        query = "SELECT 1 FROM stars WHERE account = ? AND change = ?"
        return self._server.store.one(query, mine, view.number) is not None

    # -- votes

    def _votes(self, view: ChangeView, info: dict[str, Any]) -> None:
        detailed = "DETAILED_LABELS" in self._wanted
        info["labels"] = {name: self._label(view, label, detailed) for name, label in view.labels.items()}
        if detailed and self._account is not None:
            info["permitted_labels"] = self.permitted(view)
            info["removable_labels"] = self._removable_labels(view)
        info["removable_reviewers"] = self._removable_reviewers(view)
        info["reviewers"] = {
            state: [self.account(row["account"]) for row in view.reviewers[state]]
            for state in ("REVIEWER", "CC")
            if view.reviewers[state]
        }
        info["pending_reviewers"] = {}

    def _voters(self, view: ChangeView) -> list[int]:
        reviewers = [row["account"] for row in view.reviewers["REVIEWER"]]
        votes = [row["account"] for row in view.approvals]
        # Gerrit keeps the submit itself as a vote of the submitter.
        submitter = [view.row["submitter"]] if view.row["status"] == "MERGED" else []
        return javahash.numbers(sorted({*votes, *reviewers, *submitter}))

    def _label(self, view: ChangeView, label: Label, detailed: bool) -> dict[str, Any]:
        rows = {row["account"]: row for row in view.approvals if row["label"] == label.name}
        info: dict[str, Any] = {}
        values = [(row["account"], row["value"]) for row in rows.values()]
        for key, value in (("approved", label.max), ("rejected", label.min)):
            for account, given in values:
                if given == value and value:
                    info[key] = self.account(account)
        if not info:
            self._leaning(info, values)
        weight = info.pop("value", None)
        voters = self._voters(view)
        if voters:
            info["all"] = [
                self._approval(view, label, account, rows.get(account), detailed) for account in voters
            ]
        info["values"] = {padded(value): text for value, text in label.values.items()}
        info["description"] = label.definition.get("description") or ""
        if weight is not None:
            info["value"] = weight
        info |= {"default_value": label.definition.get("default_value") or 0, "optional": True}
        return info

    def _leaning(self, info: dict[str, Any], values: list[tuple[int, int]]) -> None:
        """Between the extremes: the last one who leans, minus before plus."""
        for account, given in values:
            if given < 0:
                info |= {"disliked": self.account(account), "value": -1}
        for account, given in values:
            if given > 0 and "disliked" not in info:
                info |= {"recommended": self.account(account), "value": 1}

    def _approval(
        self, view: ChangeView, label: Label, account: int, row: Row | None, detailed: bool
    ) -> dict[str, Any]:
        info: dict[str, Any] = {}
        low, high = self.range(view, label, account)
        if row is not None and row["tag"] and row["value"]:
            info["tag"] = row["tag"]
        closed = view.row["status"] != "NEW"
        if row is not None and row["value"]:
            info["value"] = row["value"]
        elif closed or (detailed and (low or high)):
            info["value"] = 0
        if row is not None:
            info["date"] = timestamp(row["granted"])
            if row["post_submit"]:
                info["post_submit"] = True
        if detailed and (low or high):
            if not closed:
                info["permitted_voting_range"] = {"min": low, "max": high}
            elif row is not None and row["value"]:
                info["permitted_voting_range"] = {"min": row["value"], "max": high}
        return info | self.account(account)

    def range(self, view: ChangeView, label: Label, account: int) -> tuple[int, int]:
        """Values that an account may give to a label of a change."""
        low, high = self._server.access.label_range(
            account, view.project, view.branch, label.name, owner_of_change=account == view.row["owner"]
        )
        return max(low, label.min), min(high, label.max)

    def permitted(self, view: ChangeView) -> dict[str, list[str]]:
        """Labels on which the asking account may vote, with the values."""
        found: dict[str, list[str]] = {}
        if self._account is None or view.row["status"] == "ABANDONED":
            return found
        for name, label in view.labels.items():
            low, high = self.range(view, label, self._account.id)
            if not low and not high:
                continue
            if view.row["status"] == "MERGED" and not label.definition.get("allow_post_submit"):
                continue
            values = [value for value in label.values if low <= value <= high]
            if view.row["status"] == "MERGED":
                mine = next(
                    (
                        row["value"]
                        for row in view.approvals
                        if row["label"] == name and row["account"] == self._account.id
                    ),
                    0,
                )
                values = [value for value in values if value >= mine]
            found[name] = [padded(value) for value in values]
        return found

    def _may_remove(self, view: ChangeView, account: int, value: int) -> bool:
        if self._account is None or view.row["status"] != "NEW":
            return False
        mine, access = self._account.id, self._server.access
        if mine == account or access.is_owner(mine, view.project):
            return True
        if mine == view.row["owner"] and value >= 0:
            return True
        return access.can(mine, view.project, view.branch, "removeReviewer")

    def _removable_labels(self, view: ChangeView) -> dict[str, Any]:
        found: dict[str, dict[str, list[Any]]] = {}
        for row in view.approvals:
            # A vote that was taken back is in nobody's way: Gerrit lets everyone remove it.
            free = row["value"] == 0 and view.row["status"] == "NEW"
            if row["label"] in view.labels and (free or self._may_remove(view, row["account"], row["value"])):
                found.setdefault(row["label"], {}).setdefault(padded(row["value"]), []).append(
                    self.account(row["account"])
                )
        return found

    def _removable_reviewers(self, view: ChangeView) -> list[dict[str, Any]]:
        lowest: dict[int, int] = {}
        for row in view.approvals:
            lowest[row["account"]] = min(lowest.get(row["account"], 0), row["value"])
        people = [row["account"] for state in ("REVIEWER", "CC") for row in view.reviewers[state]]
        return [
            self.account(account)
            for account in people
            if self._may_remove(view, account, lowest.get(account, 0))
        ]

    def _reviewer_updates(self, view: ChangeView) -> list[dict[str, Any]]:
        rows = self._server.store.all(
            "SELECT * FROM reviewer_updates WHERE change = ? ORDER BY seq", view.number
        )
        return [
            {
                "updated": timestamp(row["updated"]),
                "updated_by": self.account(row["actor"]),
                "reviewer": self.account(row["reviewer"]),
                "state": row["state"],
            }
            for row in rows
        ]

    def _submit_record(self, view: ChangeView) -> dict[str, Any]:
        entries = []
        for name, label in view.labels.items():
            if label.definition.get("function") == "NoOp":
                continue
            entry: dict[str, Any] = {"label": name, "status": "MAY"}
            # The record of a merged change is that of its submit: later votes are not in it.
            votes = [row for row in view.approvals if row["label"] == name and row["value"]]
            voted = [row["account"] for row in votes if not row["post_submit"]]
            if voted:
                entry["applied_by"] = self.account(voted[-1])
            entries.append(entry)
        status = "OK" if view.row["status"] == "NEW" else "CLOSED"
        return {"rule_name": "gerrit~DefaultSubmitRule", "status": status, "labels": entries}

    # -- messages and revisions

    def names(self, text: str) -> str:
        """A message with `Name <address>` in place of account placeholders."""
        return with_names(self._server, text)

    def message(self, view: ChangeView, row: Row) -> dict[str, Any]:
        """ChangeMessageInfo."""
        return message_info(self, row)

    def revision(self, view: ChangeView, row: Row) -> dict[str, Any]:
        """RevisionInfo."""
        wanted, info = self._wanted, loads(row["commit_info"])
        current = row["number"] == view.row["current"]
        shown: dict[str, Any] = {
            "kind": row["kind"],
            "_number": row["number"],
            "created": timestamp(row["created"]),
            "uploader": self.account(row["uploader"]),
            "ref": change_ref(view.number, row["number"]),
            "fetch": {},
        }
        if "ALL_COMMITS" in wanted or ("CURRENT_COMMIT" in wanted and current):
            shown["commit"] = commit_info(attributes.commit_of(row), info)
        shown["branch"] = view.branch
        if "ALL_FILES" in wanted or ("CURRENT_FILES" in wanted and current):
            shown["files"] = file_infos(row)
        if "CURRENT_ACTIONS" in wanted and current:
            shown["actions"] = self.revision_actions(view)
        if "COMMIT_FOOTERS" in wanted:
            shown["commit_with_footers"] = with_footers(self._server, view)
        if row["description"]:
            shown["description"] = row["description"]
        if "conflicts" in info:
            shown["conflicts"] = info["conflicts"]
        return shown

    # -- actions

    def _change_actions(self, view: ChangeView) -> dict[str, Any]:
        if self._account is None:
            return {}
        return (
            {"followup": _action("Follow-Up", "Create follow-up change")}
            if view.row["status"] != "ABANDONED"
            else {}
        )

    def revision_actions(self, view: ChangeView) -> dict[str, Any]:
        """Buttons that a browser would show on the current revision."""
        if self._account is None:
            return {}
        actions = {"cherrypick": _action("Cherry Pick", "Cherry pick change to a different branch")}
        mine, access = self._account.id, self._server.access
        may_submit = access.can(mine, view.project, view.branch, "submit")
        if (
            view.row["status"] == "NEW"
            and may_submit
            and requirements.submittable(view)
            and not view.row["wip"]
        ):
            title = f"Submit patch set {view.row['current']} into {short_ref(view.branch)}"
            actions["submit"] = _action("Submit", title)
        if view.row["status"] == "NEW" and (may_submit or mine == view.row["owner"]):
            rebase = _action("Rebase", "Rebase onto tip of branch or parent change.")
            del rebase["enabled"]
            rebase["enabled_options"] = ["rebase", "rebase_on_behalf_of_uploader"]
            actions["rebase"] = rebase
        return actions


def _action(label: str, title: str) -> dict[str, Any]:
    return {"method": "POST", "label": label, "title": title, "enabled": True}


def triplet(row: Row) -> str:
    """project~branch~Change-Id, encoded."""
    return "~".join(
        [quote(row["project"], safe=""), quote(short_ref(row["branch"]), safe=""), row["change_id"]]
    )


def with_names(server: Server, text: str) -> str:
    """A message with `Name <address>` in place of account placeholders."""

    def name(match: re.Match[str]) -> str:
        account = server.accounts.get(int(match[1]))
        return account.signature if account else match[0]

    return re.sub(r"<GERRIT_ACCOUNT_(\d+)>", name, text)


def message_info(describer: Describer, row: Row, *, shown: bool = False) -> dict[str, Any]:
    """ChangeMessageInfo of a row of messages; `shown` puts names in place of account placeholders."""
    info: dict[str, Any] = {"id": row["id"]}
    if row["tag"]:
        info["tag"] = row["tag"]
    if row["author"] is not None:
        info["author"] = describer.account(row["author"])
    named = [int(number) for number in re.findall(r"<GERRIT_ACCOUNT_(\d+)>", row["text"])]
    accounts = [describer.account(number) for number in dict.fromkeys(named)]
    text = describer.names(row["text"]) if shown else row["text"]
    info |= {"date": timestamp(row["date"]), "message": text, "accounts_in_message": accounts}
    if row["patch_set"] is not None:
        info["_revision_number"] = row["patch_set"]
    return info


def _pushed_directly(view: ChangeView) -> bool:
    """Whether a change was merged by a push to its branch, past the rules of submit."""
    return view.row["status"] == "MERGED" and any(
        row["text"].startswith("Change has been successfully pushed") for row in view.messages
    )


def person(ident: Ident) -> dict[str, Any]:
    """GitPersonInfo."""
    return {"name": ident.name, "email": ident.email, "date": timestamp(ident.when), "tz": ident.zone}


def commit_info(commit: Commit, info: dict[str, Any], *, sha: bool = False) -> dict[str, Any]:
    """CommitInfo; `info` is what the patch set keeps."""
    subjects = info.get("parent_subjects", [])
    parents = [
        {"commit": parent, "subject": subject}
        for parent, subject in zip(commit.parents, subjects, strict=False)
    ]
    return {
        **({"commit": commit.sha} if sha else {}),
        "parents": parents,
        "author": person(commit.author),
        "committer": person(commit.committer),
        "subject": commit.subject,
        "message": commit.message,
    }


def file_infos(row: Row, *, magic: bool = False) -> dict[str, Any]:
    """FileInfo by path of a patch set."""
    files = loads(row["files"])
    return {path: _file(info) for path, info in sorted(files.items()) if magic or path not in MAGIC}


def _file(info: dict[str, Any]) -> dict[str, Any]:
    order = (
        "status",
        "binary",
        "old_path",
        "old_mode",
        "new_mode",
        "old_sha",
        "new_sha",
        "lines_inserted",
        "lines_deleted",
        "size_delta",
        "size",
    )
    return {key: info[key] for key in order if key in info}


def with_footers(server: Server, view: ChangeView) -> str:
    """The commit message with the footers that cherry-picking would add."""
    text = view.commit.message.rstrip("\n") + f"\nReviewed-on: {attributes.change_url(server, view.row)}\n"
    for row in view.approvals:
        account = server.accounts.get(row["account"])
        if row["value"] <= 0 or account is None:
            continue
        label = view.labels.get(row["label"])
        if label is not None and row["value"] == label.max:
            key = {"Code-Review": "Reviewed-by", "Verified": "Tested-by"}.get(label.name, label.name)
            text += f"{key}: {account.signature}\n"
    return text
