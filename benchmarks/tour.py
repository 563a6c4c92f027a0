"""How many pages a person sees and how many values are typed in the two tours, counted while they are walked."""

from tests.browsing import HttpBrowser
from tests.tours import World, long_tour, short_tour

from .house import demonstration


def main() -> None:
    with demonstration(bridge=True) as programs:
        world = World(programs.origin, programs.sandbox_origin, f"http://127.0.0.1:{programs.ports.bridge}")
        short = HttpBrowser()
        short_tour(world, short)
        print(f"FIGURE tour_short_pages {short.pages} pages")
        print(f"FIGURE tour_short_typed {short.typed} values")
        company, official = HttpBrowser(), HttpBrowser()
        long_tour(world, company, official)
        print(f"the company saw {company.pages} pages, the officials {official.pages}")
        print(f"FIGURE tour_long_pages {company.pages + official.pages} pages")


if __name__ == "__main__":
    main()
