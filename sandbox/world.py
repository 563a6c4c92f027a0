"""All outside parties together: made, seeded, started, stopped and reset as one."""

from sandbox import seed
from sandbox.banks.dialects import BANKS
from sandbox.banks.keys import BankKeys
from sandbox.banks.ukeys import Ukeys
from sandbox.customs.amqp import Desk
from sandbox.customs.judge import Judge
from sandbox.customs.ledger import Ledger
from sandbox.customs.office import Office
from sandbox.declarations import SingleWindow
from sandbox.mail import MailServer
from sandbox.panel.authority import CardAuthority
from sandbox.panel.cards import Cards
from sandbox.settings import Settings
from sandbox.store import Store


class World:
    def __init__(self, settings: Settings):
        self.settings = settings
        self.store = Store(settings.folder / "sandbox.sqlite3")
        self.ledger = Ledger(settings.folder / "customs.sqlite3")
        self.authority = CardAuthority(settings.folder / "ca")
        self.authority.ensure()
        self.cards = Cards(settings.folder / "cards", self.store, self.authority, settings.vpcd_port)
        self.bank_keys = BankKeys(settings.folder / "banks")
        self.bank_keys.ensure(BANKS)
        self.ukeys = Ukeys(self.store, self.bank_keys)
        judge = Judge(self.store, self.ledger, self.authority.folder)
        self.office = Office(settings.customs_folder, self.store, self.ledger, judge)
        self.single_window = SingleWindow(settings.customs_folder, self.store, self.ledger)
        self.desk = Desk(settings.amqp, settings.customs_folder, self.ledger) if settings.amqp else None
        self.mail_server = MailServer(self.store, settings.address, settings.smtp_port)
        if not self.store.all("company"):
            self.reset()

    def reset(self) -> None:
        """Everything as on the first day; only the card authorities and the banks' keys stay, because others trust them.

        What lies in the enterprise folders belongs to the portal and is left alone."""
        seed.fill(self.store)
        self.cards.seed()
        self.ukeys.seed()
        self.ledger.clear()

    def start(self) -> None:
        self.office.start()
        self.single_window.start()
        if self.desk:
            self.desk.start()
        self.mail_server.start()

    def stop(self) -> None:
        self.mail_server.stop()
        if self.desk:
            self.desk.stop()
        self.single_window.stop()
        self.office.stop()
        self.cards.eject()
        self.close()

    def close(self) -> None:
        self.ledger.close()
        self.store.close()
