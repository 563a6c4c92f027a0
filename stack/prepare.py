"""`python -m stack.prepare`: tables up to date and the demonstration seeded; prints the resume code if made now.

A program of its own: whoever starts the others (a test, a benchmark) keeps its own database session.
"""

from app import create_app
from settings import Settings

from .database import migrate
from .seed import seed_demonstration


def main() -> None:
    settings = Settings.from_environment()
    migrate(settings.database_url)
    app = create_app(settings)
    with app.app_context():
        print(seed_demonstration(settings) or "")


if __name__ == "__main__":
    main()
