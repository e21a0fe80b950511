/*
 * generate [--rows N] [--from I] [--keys N] [--seed S]: organization records as CSV on stdout, the same bytes for the
 * same arguments. 2,000,000 rows are 274 MB. The key, `Organization Id`, depends on the record's number alone, so
 * another seed gives the same keys with other values, and --from the keys that follow.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const first_words[] = {"Amber", "Anchor", "Beacon", "Birch", "Bramble", "Bright", "Cedar", "Cinder",
    "Clear", "Coastal", "Copper", "Crescent", "Delta", "Eastern", "Ember", "Fairway", "Falcon", "Granite", "Green",
    "Harbour", "Hazel", "High", "Iron", "Juniper", "Lake", "Lantern", "Larch", "Meadow", "Mill", "Northern", "Oak",
    "Ochre", "Old", "Orchard", "Pine", "Quarry", "Raven", "Red", "River", "Rowan", "Saffron", "Silver", "Slate",
    "South", "Stone", "Summit", "Tidal", "Upper", "Valley", "Willow"};
static const char *const second_words[] = {"Analytics", "Bakery", "Bearings", "Bridge", "Cable", "Castings", "Ceramics",
    "Chemicals", "Dairy", "Design", "Drilling", "Energy", "Fabrics", "Ferries", "Fisheries", "Forge", "Freight",
    "Furniture", "Glass", "Grain", "Instruments", "Joinery", "Labs", "Leather", "Lighting", "Logistics", "Machines",
    "Metals", "Mining", "Motors", "Optics", "Packaging", "Paper", "Plastics", "Press", "Pumps", "Rail", "Robotics",
    "Seeds", "Software", "Solar", "Steel", "Surveys", "Textiles", "Timber", "Tools", "Towage", "Valves", "Water",
    "Works"};
static const char *const suffixes[] = {"Ltd", "Inc", "GmbH", "AG", "SA", "Group", "Partners", "& Sons", "Co", "Trust"};
static const char *const countries[] = {"Argentina", "Australia", "Austria", "Bolivia, Plurinational State of",
    "Botswana", "Brazil", "Bulgaria", "Canada", "Chile", "China", "Côte d'Ivoire", "Croatia", "Denmark", "Egypt",
    "Estonia", "Finland", "France", "Germany", "Ghana", "Greece", "Iceland", "India", "Indonesia",
    "Iran, Islamic Republic of", "Ireland", "Italy", "Japan", "Kenya", "Korea, Republic of", "Latvia", "Malaysia",
    "Mexico", "Morocco", "Nepal", "Netherlands", "New Zealand", "Norway", "Peru", "Poland", "Portugal", "Réunion",
    "Senegal", "Spain", "Sweden", "Switzerland", "Türkiye", "Uruguay", "Viet Nam", "Zambia"};
static const char *const verbs[] = {"Builds", "Buys", "Delivers", "Designs", "Exports", "Finances", "Imports",
    "Insures", "Leases", "Makes", "Manages", "Moves", "Plans", "Recycles", "Refits", "Repairs", "Sells", "Stores",
    "Tests", "Trades"};
static const char *const manners[] = {"affordable", "certified", "custom", "durable", "heavy", "insulated", "light",
    "local", "modular", "plastic", "portable", "precise", "rare", "recycled", "seasonal", "secure", "small", "smart",
    "sturdy", "wooden"};
static const char *const goods[] = {"boats", "boxes", "cables", "doors", "engines", "fittings", "frames", "gauges",
    "kits", "lamps", "lenses", "panels", "parts", "pipes", "sensors", "sheets", "tanks", "tiles", "trailers", "wheels"};
static const char *const buyers[] = {"airports", "builders", "farmers", "galleries", "harbours", "hospitals", "hotels",
    "libraries", "museums", "offices", "railways", "restaurants", "schools", "shipyards", "theatres", "workshops"};
static const char *const industries[] = {"Agriculture", "Banking", "Chemicals", "Construction", "Education",
    "Electronics", "Food & Beverages", "Forestry", "Glass, Ceramics, Concrete", "Health", "Hospitality", "Insurance",
    "Logistics", "Machinery", "Mining", "Paper", "Plastics", "Printing", "Railways", "Research", "Retail", "Shipping",
    "Software", "Textiles", "Utilities", "Wholesale"};
static const char *const endings[] = {"com", "org", "net", "example", "info", "biz"};

/* One of an array's strings. */
#define PICK(array, state) ((array)[next(state) % COUNT(array)])

struct request {
	uint64_t rows, from, keys, seed;
};

/* SplitMix64: every step is a new 64-bit number, from any start. */
static uint64_t
next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* One in `n` chance. */
static bool
rarely(uint64_t *state, unsigned n)
{
	return next(state) % n == 0;
}

/* A number's key: each step can be undone within 60 bits, so no two numbers share one. */
static uint64_t
key_of(uint64_t number)
{
	const uint64_t mask = ((uint64_t)1 << 60) - 1;
	uint64_t z = number;

	z = (z * 0x9e3779b97f4a7c15u) & mask;
	z ^= z >> 31;
	z = (z * 0xd6e8feb86659fd93u) & mask;
	z ^= z >> 29;
	return z;
}

/* A field, quoted if it must be, or if `quote` asks for it. */
static void
put_field(const char *text, bool quote, char end)
{
	if (quote || strpbrk(text, ",\"\r\n") != NULL) {
		putchar_unlocked('"');
		for (const char *p = text; *p != '\0'; p++) {
			if (*p == '"')
				putchar_unlocked('"');
			putchar_unlocked(*p);
		}
		putchar_unlocked('"');
	} else {
		fputs_unlocked(text, stdout);
	}
	putchar_unlocked(end);
}

/* Words are drawn one statement at a time: C leaves the order of arguments open, and the bytes must not be. */
static void
put_name(uint64_t *state)
{
	char name[120];
	const char *first = PICK(first_words, state);
	const char *second = PICK(second_words, state);
	const char *third = PICK(first_words, state);
	const char *fourth = PICK(first_words, state);
	const char *suffix = PICK(suffixes, state);

	if (rarely(state, 40))
		snprintf(name, sizeof(name), "%s \"%s\" %s", first, third, second);
	else if (rarely(state, 6))
		snprintf(name, sizeof(name), "%s, %s and %s", first, third, fourth);
	else
		snprintf(name, sizeof(name), "%s %s %s", first, second, suffix);
	put_field(name, rarely(state, 20), ',');
}

static void
put_website(uint64_t *state)
{
	const char *good = PICK(goods, state);
	const char *buyer = PICK(buyers, state);
	unsigned number = next(state) % 1000;

	printf("www.%s-%s%u.%s,", good, buyer, number, PICK(endings, state));
}

static void
put_description(uint64_t *state)
{
	char text[240];
	const char *verb = PICK(verbs, state);
	const char *manner = PICK(manners, state);
	const char *good = PICK(goods, state);
	const char *second = PICK(goods, state);
	const char *third = PICK(goods, state);
	const char *buyer = PICK(buyers, state);
	const char *newline = rarely(state, 4) ? "\r\n" : "\n";

	if (rarely(state, 100))
		snprintf(text, sizeof(text), "%s %s %s%sfor %s", verb, manner, good, newline, buyer);
	else if (rarely(state, 30))
		snprintf(text, sizeof(text), "%s \"%s\" %s for %s", verb, manner, good, buyer);
	else if (rarely(state, 5))
		snprintf(text, sizeof(text), "%s %s %s, %s and %s", verb, manner, good, second, third);
	else
		snprintf(text, sizeof(text), "%s %s %s for %s", verb, manner, good, buyer);
	put_field(rarely(state, 60) ? "" : text, rarely(state, 20), ',');
}

static void
put_record(uint64_t index, uint64_t number, uint64_t seed)
{
	uint64_t state = seed * 0xd1342543de82ef95u + index;

	printf("%llu,%015llx,", (unsigned long long)index, (unsigned long long)key_of(number));
	put_name(&state);
	put_website(&state);
	put_field(PICK(countries, &state), false, ',');
	put_description(&state);
	printf("%u,", 1900 + (unsigned)(next(&state) % 125));
	put_field(PICK(industries, &state), false, ',');
	/* Most are small: the product of two numbers below 100. */
	printf("%u\n", 1 + (unsigned)(next(&state) % 100 * (next(&state) % 100)));
}

static uint64_t
number_of(const char *name, const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0') {
		fprintf(stderr, "generate: --%s '%s' is not a number\n", name, text);
		exit(64);
	}
	return value;
}

static struct request
parse(int argc, char **argv)
{
	static const struct option options[] = {
	    {"rows", required_argument, NULL, 'r'},
	    {"from", required_argument, NULL, 'f'},
	    {"keys", required_argument, NULL, 'k'},
	    {"seed", required_argument, NULL, 's'},
	    {NULL, 0, NULL, 0},
	};
	struct request request = {.rows = 2000000, .from = 1, .keys = 0, .seed = 1};
	int c, which;

	while ((c = getopt_long(argc, argv, "", options, &which)) != -1) {
		switch (c) {
		case 'r':
			request.rows = number_of("rows", optarg);
			break;
		case 'f':
			request.from = number_of("from", optarg);
			break;
		case 'k':
			request.keys = number_of("keys", optarg);
			break;
		case 's':
			request.seed = number_of("seed", optarg);
			break;
		default:
			exit(64);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "generate: '%s'? there are only --rows, --from, --keys and --seed\n", argv[optind]);
		exit(64);
	}
	return request;
}

int
main(int argc, char **argv)
{
	struct request request = parse(argc, argv);
	static char buffer[1 << 16];

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	puts("Index,Organization Id,Name,Website,Country,Description,Founded,Industry,Number of employees");
	for (uint64_t i = request.from; i < request.from + request.rows; i++) {
		uint64_t state = request.seed + i;
		/* With --keys, every key comes up again and again, in no order. */
		uint64_t number = request.keys == 0 ? i : 1 + next(&state) % request.keys;

		put_record(i, number, request.seed);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("generate: stdout");
		return 74;
	}
	return 0;
}
