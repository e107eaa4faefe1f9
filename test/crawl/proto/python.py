"""The messages of the .proto as Python's protobuf makes and reads them.

python.py PROTO make  prints a request in each line, as hexadecimal digits
python.py PROTO read  reads a message of the server in each line, prints it as JSON
"""
import importlib
import pathlib
import sys
import tempfile

from google.protobuf import json_format
from grpc_tools import protoc

proto, action = pathlib.Path(sys.argv[1]), sys.argv[2]
made = tempfile.TemporaryDirectory()
assert protoc.main(["protoc", f"-I{proto.parent}", f"--python_out={made.name}", str(proto)]) == 0
sys.path.insert(0, made.name)
pb = importlib.import_module(f"{proto.stem}_pb2")


def requests():
    # A client of 2019 counts its requests from 0, and has fields that it need not.
    request = pb.Request(request_id=0)
    request.list_policies.page.limit = 10
    yield request
    request = pb.Request(request_id=1)
    policy = request.set_policy.policy
    policy.name = "From Python"
    policy.limits.max_cost = 2.5
    rule = policy.mime_type_rules.add(pattern="^text/", save=True)
    rule.match = pb.PatternMatch.Value("MATCHES")
    policy.mime_type_rules.add(save=False)
    policy.robots_txt.usage = pb.PolicyRobotsTxt.IGNORE
    policy.url_rules.add(action=pb.PolicyUrlRule.ADD, amount=1)
    policy.user_agents.add(name="Python/{VERSION}")
    yield request
    request = pb.Request(request_id=2)
    request.subscribe_job_status.min_interval = 3.0
    yield request
    # The web client asks for names only, and clears tags with a blank one.
    request = pb.Request(request_id=3)
    request.set_job.job_id = bytes(16)
    request.set_job.tags.append("")
    yield request
    request = pb.Request(request_id=-2147483648)
    request.list_rate_limits.SetInParent()
    yield request


if action == "make":
    for each in requests():
        print(each.SerializeToString().hex())
else:
    for line in sys.stdin:
        message = pb.ServerMessage.FromString(bytes.fromhex(line.strip()))
        print(json_format.MessageToJson(message, indent=None, preserving_proto_field_name=True))
