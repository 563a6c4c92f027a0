"""The card centre (制卡中心) and the desk with the card reader: issues virtual cards and plugs them in."""
