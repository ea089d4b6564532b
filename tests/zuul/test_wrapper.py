"""The start command: every program of Zuul starts through it, knows our drivers, or refuses to start."""

import pytest

from xenci.zuul import registration, wrapper


@pytest.mark.parametrize("service", sorted(wrapper.PROGRAMS))
def test_every_program_is_there(run, service):
    done = run(service, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: zuul-{service} ")


def test_unknown_service_is_refused(run):
    done = run("schedular", "-f")
    assert done.returncode == 2
    assert "scheduler" in done.stderr


class GreenDriver:
    """As much of a driver as registration looks at."""

    name = "green"


class OtherStaticDriver:
    """Takes a stock driver's place."""

    name = "static"


@pytest.fixture
def registry(monkeypatch):
    """Zuul's registry class, as it came, after the test."""
    from zuul.lib.connections import ConnectionRegistry

    monkeypatch.setattr(ConnectionRegistry, "__init__", ConnectionRegistry.__init__)
    return ConnectionRegistry


def test_own_driver_is_registered(registry):
    registration.register([(__name__, "GreenDriver")])
    drivers = registry().drivers
    assert isinstance(drivers["green"], GreenDriver)
    assert "gerrit" in drivers


def test_own_driver_replaces_a_stock_one(registry):
    registration.register([(__name__, "OtherStaticDriver")])
    assert isinstance(registry().drivers["static"], OtherStaticDriver)


def test_unknown_driver_class_fails_loudly(registry):
    registration.register([(__name__, "NoSuchDriver")])
    with pytest.raises(registration.MovedError, match="NoSuchDriver"):
        registry()


def test_moved_registration_fails_loudly(registry, monkeypatch):
    monkeypatch.delattr(registry, "registerDriver")
    with pytest.raises(registration.MovedError, match="registerDriver"):
        registration.register([])


def test_program_does_not_start_when_registration_moved(registry, monkeypatch, capsys):
    monkeypatch.delattr(registry, "registerDriver")
    assert wrapper.main(["scheduler", "--help"]) == 2
    assert "zuul>=14.3,<15" in capsys.readouterr().err
