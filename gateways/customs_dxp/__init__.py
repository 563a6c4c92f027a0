"""Customs by way of the data exchange platform (数据交换平台): CEB messages, their signature, envelope and channel.

message = ceb303.build(orders, Transfer(code, name, dxp_id), guid)   # canonical bytes; SHA-256 of it goes to the card
message = types.build("603", documents, transfer, guid)              # any other kind
info = signature.signed_info("sm2-sm3", message)                     # what the card signs
signed = signature.assemble(message, "sm2-sm3", certificate_der, signature_value)   # verified, or NotVerified
parcel = DxpMsg(cop_msg_id, dxp_id, (CUSTOMS_EXPORT,), created, "CEB303Message", signed)
channel = FolderChannel(Path(folder))
channel.send(envelope.file_name(parcel), envelope.build(parcel))
for name, data in channel.receive():
    answer = envelope.parse(data)                                    # DxpMsg | DxpRep; BadEnvelope
    receipts = ceb304.parse_receipts(answer.data)                    # BadReceipt; returns.parse_returns for every kind
    channel.acknowledge(name)                                        # after the raw bytes are committed
"""
