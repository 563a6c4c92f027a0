"""Client-control protocol (客户端控件) on ws://127.0.0.1:61232, for software that was written for the real control."""
