using Sentiric.EventStore.Proofs;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.Cli.Tests.Commands;

public sealed class AuditVerbTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("audit-cli").FullName;
    private FakePlatform platform = null!;

    public async Task InitializeAsync() => platform = await FakePlatform.StartAsync();

    public async Task DisposeAsync()
    {
        await platform.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_sound_log_ends_with_0()
    {
        Verdict("""{"sound":true,"events":1200,"streams":3,"blocks":2,"pending":4,"removed":0,"removals":[],"finding_count":0,"findings":[],"seconds":0.5}""");
        var (code, text, _) = await platform.RunAsync("", "events", "verify");
        Assert.Equal(0, code);
        Assert.Contains("4 events are stored and not signed yet", text, StringComparison.Ordinal);
        Assert.EndsWith("as it was signed\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_event_is_named_and_the_end_is_1()
    {
        Verdict("""{"sound":false,"events":9,"streams":3,"blocks":2,"pending":0,"removed":1,"removals":[{"tenant":"demo","stream":"call-2","up_to_version":3,"why":"asked","actor":"officer","at":"2026-11-22T12:00:00Z"}],"finding_count":1,"findings":[{"kind":"event_changed","table":"mt_events","what":"columns are not what was signed","position":7,"tenant":"demo","stream":"call-1","version":2,"block":1,"columns":["data"]}],"seconds":0.5}""");
        var (code, text, _) = await platform.RunAsync("", "events", "verify");
        Assert.Equal(1, code);
        Assert.Contains("event_changed  mt_events  data  demo  call-1  version 2  position 7  block 1", text, StringComparison.Ordinal);
        Assert.Contains("by right gone: demo call-2 up to version 3", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_removal_is_told_with_who_ordered_it()
    {
        static string Gone(string stream, string rest) => $$"""{"tenant":"demo","stream":"{{stream}}","up_to_version":3,"why":"asked","actor":"officer","at":"2026-11-22T12:00:00Z"{{rest}}}""";
        const string signed = ",\"signed_at\":\"2026-11-22T12:00:02Z\"";
        var removals = string.Join(',',
            Gone("call-1", signed + ",\"ordered_by\":\"0123456789abcdef\",\"order\":\"ordered\""), Gone("call-2", ",\"ordered_by\":\"0123456789abcdef\",\"order\":\"ordered\""),
            Gone("call-3", signed + ",\"order\":\"before_orders\",\"file\":\"streams-1.ndjson.gz\""), Gone("call-4", signed + ",\"order\":\"not_ordered\""), Gone("call-5", signed));
        Verdict("{\"sound\":false,\"events\":9,\"streams\":5,\"blocks\":2,\"pending\":0,\"removed\":15,\"removals\":[" + removals + "],\"finding_count\":1,\"findings\":["
            + """{"kind":"removal_not_ordered","table":"sx_stream_truncation","what":"no key of the platform vouches for this removal, and those before it have one that does","tenant":"demo","stream":"call-4","version":4,"columns":[]}"""
            + "],\"seconds\":0.5}");
        var (code, text, _) = await platform.RunAsync("", "events", "verify");
        Assert.Equal(1, code);
        Golden.Check(text, "tests", "Sentiric.Cli.Tests", "Commands", "removals.approved.txt");
    }

    [Fact]
    public async Task A_verification_without_a_verdict_is_no_success()
    {
        platform.Answers("GET /v1/events/audit/verify", "event: progress\ndata: {\"phase\":\"events\",\"done\":1,\"total\":2}\n\n", type: "text/event-stream");
        Assert.Equal(1, (await platform.RunAsync("", "events", "verify")).Code);
    }

    [Fact]
    public async Task A_call_is_proven_by_its_stream()
    {
        platform.Answers("GET /v1/events/audit/proofs/call-01980000-0000-7000-8000-0000000abcde", "{}");
        Assert.Equal((0, "{}\n", ""), await platform.RunAsync("", "events", "prove", "01980000-0000-7000-8000-0000000abcde"));
    }

    [Fact]
    public async Task A_proof_is_checked_without_a_platform()
    {
        using var key = AuditKey.Create();
        using var other = AuditKey.Create();
        var proof = Proof(key);
        var (file, pem, wrong, bent) = (Write("proof.json", proof.ToJson()), Write("key.pem", key.Public.Pem), Write("other.pem", other.Public.Pem), Write("bent.json", proof.ToJson().Replace("By", "by")));
        Assert.Contains("The proof holds.", (await platform.RunAsync("", "events", "verify-proof", file, "--key", pem)).Out, StringComparison.Ordinal);
        Assert.Equal(1, (await platform.RunAsync("", "events", "verify-proof", file, "--key", wrong)).Code);
        Assert.Equal(1, (await platform.RunAsync("", "events", "verify-proof", bent, "--key", pem)).Code);
        Assert.Equal(0, (await platform.RunAsync("", "events", "verify-proof", file, "--key", pem, "--checkpoints", Write("kept", proof.Checkpoint.ToLine()))).Code);
        Assert.Equal(1, (await platform.RunAsync("", "events", "verify-proof", file, "--key", pem, "--checkpoints", Write("none", ""))).Code);
        Assert.StartsWith("proof.unreadable", (await platform.RunAsync("", "events", "verify-proof", pem, "--key", pem)).Error, StringComparison.Ordinal);
        Assert.StartsWith("key.several", (await platform.RunAsync("", "events", "verify-proof", file, "--key", Write("both.pem", key.Public.Pem + "\n" + other.Public.Pem))).Error, StringComparison.Ordinal);
        Assert.StartsWith("key.unreadable", (await platform.RunAsync("", "events", "verify-proof", file, "--key", file)).Error, StringComparison.Ordinal);
        Assert.Empty(platform.Asked);
    }

    private void Verdict(string json) =>
        platform.Answers("GET /v1/events/audit/verify", $"event: progress\ndata: {{\"phase\":\"events\",\"done\":1,\"total\":2}}\n\nevent: verdict\ndata: {json}\n\n", type: "text/event-stream");

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    // A directory of one stream with one event: the smallest proof there is.
    private static StreamProof Proof(AuditKey key)
    {
        var recorded = new ProvenEvent(1, 1) { Id = Guid.Empty, Type = "raised", Timestamp = "2026-11-22T12:00:00.000000Z", Data = "{\"By\": 1}" };
        var head = AuditHash.Genesis(0, "demo", "call-1");
        AuditHash.Link(head, recorded.LeafHash("demo", "call-1")!, head);
        var leaf = new byte[AuditHash.Size];
        AuditHash.StreamLeaf(StreamFields.Image(0, "demo", "call-1", 1, head, null, null, null).Written, leaf);
        var now = new DateTimeOffset(2026, 11, 22, 12, 0, 1, TimeSpan.Zero);
        var statement = new Checkpoint(1, 1, 1, 1, AuditHash.Hex(recorded.LeafHash("demo", "call-1")), new string('0', 64), 1, AuditHash.Hex(leaf), Checkpoint.NoPrevious, now, key.Id).Text;
        return new StreamProof(
            StreamProof.CurrentFormat, "demo", "call-1", 0, 1, null, null, null, [recorded], new DirectoryPath(1, []),
            new SignedCheckpoint(statement, key.Sign(statement)), [KeyRecord.Endorse(key.Public, key, now)], 0);
    }
}
