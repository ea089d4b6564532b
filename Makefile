# `make help` lists the targets; tox.ini and .ci/run use the same names.
SHELL := /bin/bash
.DEFAULT_GOAL := help
LAB ?= demo
XENCI := .venv/bin/xenci
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what bindep.txt names and make .venv
	@tools/setup

.PHONY: setup-test
setup-test: setup ## what only end-to-end tests need: a browser
	@tools/setup test

.PHONY: wheel
wheel: setup ## build the wheel that hosts get
	@tools/wheel

.PHONY: demo
demo: setup ## stand up a whole CI on this machine and see its votes; XEN=no leaves its Xen host out
	@$(XENCI) demo up --lab $(LAB) $(if $(SUBNET),--subnet $(SUBNET)) $(if $(filter no,$(XEN)),,--xen) \
		$(if $(GERRIT_WAR),--gerrit-war $(GERRIT_WAR)) $(if $(GERRIT_VERSION),--gerrit-version $(GERRIT_VERSION))

.PHONY: demo-change
demo-change: setup ## take a change to the demo's CI through review: plan, approve, apply, drift
	@$(XENCI) demo change --lab $(LAB) $(if $(SUBNET),--subnet $(SUBNET))

.PHONY: demo-down
demo-down: setup ## remove the demo's lab, and nothing else
	@$(XENCI) demo down --lab $(LAB)

.PHONY: check
check: setup ## name every mistake in an inventory, with no host up: make check INVENTORY=inventories/example
	@$(XENCI) check -i $(or $(INVENTORY),$(error which one? make check INVENTORY=…))

.PHONY: docs
docs: setup ## build the pages of docs/ into .cache/docs
	@.venv/bin/sphinx-build --quiet --fail-on-warning --builder html docs .cache/docs

.PHONY: quick
quick: setup ## linters, types, unit and policy tests
	@tools/test quick

.PHONY: test
test: setup-test ## everything
	@tools/test all

.PHONY: test-zuul
test-zuul: setup ## tests against Zuul itself: xenci-zuul, and what is rendered for it
	@tools/zuul-venv
	@.cache/venv/zuul/bin/pytest -q -c tests/zuul/pytest.ini tests/zuul

.PHONY: golden-image
golden-image: setup ## build the images that guests are made of, and look into them; minutes when they are not there
	@.venv/bin/pytest -q tests/golden_image

.PHONY: xen-guest
xen-guest: setup ## the program that makes guests, on a dom0 of doubles: its requests, its life, killed at every step
	@.venv/bin/pytest -q -n 2 tests/xen_guest

.PHONY: test-xen
test-xen: setup ## a real Xen host under QEMU: the role, the life of guests, faults; with Debian 13, LVM and libvirt the first two
	@.venv/bin/pytest -q -s tests/xen $(if $(SUBNET),--subnet $(SUBNET))
	@.venv/bin/pytest -q -s -m core --variant trixie tests/xen $(if $(SUBNET),--subnet $(SUBNET))

.PHONY: test-debian
test-debian: setup ## a plain Debian under QEMU: jobs in bubblewrap, and test hosts, with unified cgroups and AppArmor
	@.venv/bin/pytest -q -s tests/debian $(if $(SUBNET),--subnet $(SUBNET))

.PHONY: test-lease
test-lease: setup ## lease a real Xen host under QEMU as a whole, spoil it, and see it come back; needs a loop device
	@.venv/bin/pytest -q -s tests/xen/test_lease*.py --variant leasable $(if $(SUBNET),--subnet $(SUBNET))

.PHONY: sanity
sanity: setup ## ansible-test sanity on the built collection
	@tools/sanity

.PHONY: scenario
scenario: setup ## one role's Molecule scenario: make scenario ROLE=zookeeper
	@tools/test scenario $(ROLE)

.PHONY: contract
contract: setup ## replay the recorded Gerrit against the lab Gerrit, or any empty one: make contract GERRIT_URL=…
	@GERRIT_URL="$(GERRIT_URL)" pytest -q tests/gerrit_contract

.PHONY: bench
bench: setup ## measure the demo's lab: phases, memory, votes against plain Zuul, a second apply
	@.venv/bin/python -m bench --lab $(LAB) $(if $(CHANGES),--changes $(CHANGES))

.PHONY: e2e
e2e: setup-test ## end-to-end tests on a lab of their own: kills, votes, logs, demo-down
	@.venv/bin/pytest -q tests/e2e --ignore tests/e2e/test_scale_out.py

.PHONY: scale-out
scale-out: setup ## the same of a larger site, on a lab that goes away again: one of everything dies
	@.venv/bin/pytest -q tests/e2e/test_scale_out.py
