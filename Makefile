# csvp: programs in cmd/csvp-NAME/, their libraries in lib/LAYER/, one archive in between.
# A new program is `mkdir cmd/csvp-x`; a new module is a file in its layer's folder.
#
# Layers, lowest first; a file includes only from rows above its own, or from its own folder.
# scripts/lint-layers reads this list:
#   layer: base
#   layer: cli csv io net db schema
#   layer: store queue search cache
#   layer: table ledger
#   layer: flow
#   layer: cmd
# Within a row, allowed because:
#   within: ledger -> table     a chunk's books are written in the transaction that moves its rows
#   within: io -> csv           none yet

# As many jobs as processors, unless -j says otherwise.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

B       ?= build$(SAN:%=/san)
PREFIX  ?= /usr/local
VERSION := 0.1.0

CC      ?= cc
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla \
           -Wformat=2 -Wundef -Wcast-qual -Wimplicit-fallthrough -Wno-format-truncation
HARDEN  := -fstack-protector-strong -fPIE
ifeq ($(filter -O0,$(CFLAGS)),)
HARDEN  += -D_FORTIFY_SOURCE=2
endif
ifdef SAN
HARDEN  := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDHARD  := -fsanitize=address,undefined
else
LDHARD  := -pie -Wl,-z,relro,-z,now
endif
ifdef CI
WARN    += -Werror
endif
PKGS    := libpq libcrypto zlib libzstd libcjson libcurl hiredis
CPPFLAGS += -Ilib -I$(B)/gen -D_GNU_SOURCE -DCSVP_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS    := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lcsv -ls3 -pthread
LIBS_csvp-api := -lfcgi
CHECKLIBS := $(shell pkg-config --libs check 2>/dev/null)
# `make V=1` shows whole commands.
Q       := $(if $(V),,@)
COMPILE = $(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARN) $(HARDEN) -pthread -MMD -MP -c

SQL     := $(wildcard lib/*/*.sql)
LIBOBJ  := $(patsubst %.c,$(B)/obj/%.o,$(wildcard lib/*/*.c)) $(patsubst %.sql,$(B)/gen/%.sql.o,$(SQL))
PROGS   := $(notdir $(wildcard cmd/csvp-*))
BINS    := $(PROGS:%=$(B)/bin/%)
UNITS   := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit/*.c tests/contract/*.c))
TOOLS   := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/*.c))

.PHONY: all tests check demo serve lint bench fuzz install uninstall dist deb clean migrate index compile_commands.json
.SECONDARY:
.DELETE_ON_ERROR:

all: $(BINS) $(B)/bin/csvp

$(B)/bin/csvp: cmd/csvp/csvp
	@mkdir -p $(@D)
	$(Q)install -m 755 $< $@

$(B)/libcsvp.a: $(LIBOBJ)
	@echo "  AR    $@"
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(COMPILE) -o $@ $<

# What the API's document is made of: cmd/csvp-api/components.json is the C string json_components.
TEXTS   := $(wildcard cmd/*/*.json)
$(B)/gen/%.json.c: %.json scripts/embed-sql
	@mkdir -p $(@D)
	$(Q)scripts/embed-sql $< $@ $(B)/gen/$(patsubst cmd/%,%,$*).json.h
$(B)/gen/%.json.o: $(B)/gen/%.json.c
	$(Q)$(COMPILE) -o $@ $<
$(patsubst %.c,$(B)/obj/%.o,$(wildcard cmd/*/*.c)): | $(TEXTS:%=$(B)/gen/%.c)

# A statement kept as lib/x/name.sql becomes the C string `sql_name`, declared in gen/x/name.sql.h.
$(B)/gen/%.sql.c: %.sql scripts/embed-sql
	@mkdir -p $(@D)
	$(Q)scripts/embed-sql $< $@ $(B)/gen/$(patsubst lib/%,%,$*).sql.h
$(B)/gen/%.sql.o: $(B)/gen/%.sql.c
	$(Q)$(COMPILE) -o $@ $<
$(patsubst %.c,$(B)/obj/%.o,$(wildcard lib/*/*.c)): | $(patsubst %.sql,$(B)/gen/%.sql.c,$(SQL))

.SECONDEXPANSION:
$(BINS): $(B)/bin/%: $$(addprefix $(B)/obj/,$$(addsuffix .o,$$(basename $$(wildcard cmd/$$*/*.c)))) \
    $$(addprefix $(B)/gen/,$$(addsuffix .o,$$(wildcard cmd/$$*/*.json))) $(B)/libcsvp.a
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -Wl,--as-needed -o $@ $^ $(LIBS_$(@F)) $(LIBS)

# The pages of csvp-api stand in the program itself: its own, and Swagger UI, which is fetched once.
PAGES   := $(wildcard cmd/csvp-api/www/*)
SWAGGER := $(B)/gen/swagger-ui
$(SWAGGER)/swagger-ui.css: scripts/swagger-ui
	@mkdir -p $(@D)
	$(Q)scripts/swagger-ui $(SWAGGER)
$(B)/gen/pages.S: $(PAGES) $(SWAGGER)/swagger-ui.css scripts/embed-files
	$(Q)scripts/embed-files $(PAGES) $(SWAGGER)/* >$@
$(B)/gen/pages.o: $(B)/gen/pages.S
	$(Q)$(CC) -c -o $@ $<
$(B)/bin/csvp-api: $(B)/gen/pages.o

$(B)/tests/%: $(B)/obj/tests/%.o $(B)/libcsvp.a
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -Wl,--as-needed -o $@ $^ $(LIBS) $(CHECKLIBS)

# csvp-load without the throttle: what the real one is measured against.
UNLIMITED := $(B)/tests/bench/unlimited/csvp-load
$(UNLIMITED): $(B)/obj/cmd/csvp-load/main.o $(B)/obj/tests/bench/unlimited/admit.o $(B)/libcsvp.a
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -Wl,--as-needed,--wrap=desk_admit -o $@ $^ $(LIBS)

tests: $(UNITS) $(TOOLS)

# How each source is compiled, for clangd and its like.
compile_commands.json:
	@scripts/compile-commands '$(B)/obj' $(COMPILE) -- $(wildcard lib/*/*.c cmd/*/*.c tests/*/*.c) >$@.new
	@mv $@.new $@

# Libraries are looked up when this file is read: what needs packages first makes the rest in a second make.
check:
	@scripts/packages build run test
	@$(MAKE) --no-print-directory all tests
	@B=$(B) SAN=$(SAN) LONG=$(LONG) SEED=$(SEED) tests/run '$(value T)'

demo:
	@scripts/packages build run
	@$(MAKE) --no-print-directory all
	@B=$(B) scripts/demo

serve:
	@scripts/packages build run serve
	@$(MAKE) --no-print-directory all
	@B=$(B) scripts/serve

lint:
	B=$(B) scripts/lint $(T)

# Fast and exact scanners on the same random input; FUZZ=3600 for an hour.
FUZZ    ?= 60
fuzz:
	@mkdir -p $(B)/fuzz/corpus
	clang -std=c17 $(CPPFLAGS) -g -O1 -fsanitize=fuzzer,address,undefined -o $(B)/fuzz/reader \
	    tests/fuzz/reader.c $(wildcard lib/csv/*.c lib/base/*.c) -pthread
	$(B)/fuzz/reader -max_total_time=$(FUZZ) $(B)/fuzz/corpus

bench: all tests $(UNLIMITED)
	B=$(B) tests/bench/run
	B=$(B) tests/bench/search
	B=$(B) tests/bench/services
	B=$(B) tests/bench/api

migrate: all
	$(B)/bin/csvp-admin migrate

index: all
	$(B)/bin/csvp-admin create-index

# One list of files for both: scripts/install.
export B DESTDIR PREFIX BINDIR MANDIR UNITDIR BASHDIR ZSHDIR FISHDIR DOCDIR
install: all
	@scripts/install

uninstall:
	@scripts/install --remove

dist:
	@scripts/dist $(B)/csvp-$(VERSION).tar.gz

deb: all
	@scripts/deb/build $(VERSION)

clean:
	rm -rf build compile_commands.json

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
