"""Templates are compiled once: when a new ansible-core has moved what that leans on, this says so."""

from __future__ import annotations

from unittest import mock

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from jinja2 import Environment

from xenci.check import compiled


def test_a_text_is_compiled_once_and_means_what_it_says_each_time() -> None:
    text, condition = trust_as_template("now {{ x + 1 }}"), trust_as_template("x > 1")
    compile_ = Environment.compile
    with (
        compiled.once(),
        mock.patch.object(Environment, "compile", autospec=True, side_effect=compile_) as seen,
    ):
        templars = [Templar(DataLoader(), {"x": x}) for x in (1, 2, 3)]
        assert [templar.template(text) for templar in templars] == ["now 2", "now 3", "now 4"]
        assert [templar.evaluate_conditional(condition) for templar in templars] == [False, True, True]
        assert seen.call_count == 2


def test_a_wrong_one_is_wrong_each_time() -> None:
    text = trust_as_template("{{ x")
    with compiled.once():
        for _ in range(2):
            with pytest.raises(AnsibleError):
                Templar(DataLoader(), {}).template(text)
