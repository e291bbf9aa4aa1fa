# Pages of figures: the tools that draw them, in a virtual environment below target/. Which page is drawn from which
# measurement is the business of the fragments that measure.

PAGE_VENV := target/page

.PHONY: page-tools

page-tools: $(PAGE_VENV)/ready

$(PAGE_VENV)/ready: bench/page/requirements.txt
	$(PYTHON) -m venv $(PAGE_VENV)
	$(PAGE_VENV)/bin/python -m pip install -q --disable-pip-version-check -r $<
	touch $@
