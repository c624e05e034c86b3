using Npgsql;
using Sentiric.EventStore.Proofs;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Audit;

/// <summary>
/// A signed history that looks like a real one, the same in every run: three tenants, seven streams, several blocks, a number that was never used, an archived
/// stream, binary data, headers, empty fields, truncated streams and some that lie in a file or came back from one. Tests change it as a superuser would and set it back.
/// </summary>
public sealed class AuditedStore : IAsyncLifetime
{
    /// <summary>Turns of the calls, three events in each of the streams that were truncated, two in those that were moved into a file.</summary>
    public const int Events = Turns + Truncated * 3 + Filed * 2;

    public const int Truncated = 3;

    /// <summary>The first of them came back.</summary>
    public const int Filed = 3;

    private const int Turns = 42;

    private static readonly string[] Tables =
    [
        "mt_streams", "mt_events", "mt_high_water_skips", "sx_stream_truncation", "sx_archived_stream", "sx_stream_move",
        "sx_audit_block", "sx_audit_stream", "sx_audit_page", "sx_audit_key", "sx_audit_removal", "sx_audit_order",
    ];

    private static readonly DateTimeOffset Morning = new(2026, 11, 17, 7, 0, 0, TimeSpan.Zero);

    private PostgresEventStore? _ordering;
    private readonly string _files = Directory.CreateTempSubdirectory("audited-files").FullName;

    public PostgresFixture Postgres { get; } = new();
    public AuditKey Key { get; } = AuditKey.Create();
    /// <summary>A store that orders its removals with the notary's key.</summary>
    public PostgresEventStore Ordering => _ordering ??= new PostgresEventStore(Postgres.Source, Facts.Serializer, TimeProvider.System, new() { OrderKey = Key });

    public AuditTrail Trail => new(Postgres.Source, Postgres.Store, TimeProvider.System);
    public VerifyOptions Trusting => new([Key.Public]);

    public async Task InitializeAsync()
    {
        await Postgres.InitializeAsync();
        for (var at = 0; at < Turns; at++)
        {
            await AppendAsync(at);
            if (at % 10 == 9) await SignAsync();
            if (at == 20) await Postgres.ExecuteAsync("select nextval('mt_events_sequence')");
        }
        await Postgres.Store.ArchiveStreamAsync("globex", "call-2");
        await SignAsync();
        await TruncateAsync();
        foreach (var table in Tables) await Postgres.ExecuteAsync($"create table kept_{table} as table {table}");
    }

    public async Task DisposeAsync()
    {
        if (_ordering is not null) await _ordering.DisposeAsync();
        await Postgres.DisposeAsync();
        Key.Dispose();
        Directory.Delete(_files, recursive: true);
    }

    public AuditNotary Notary(AuditKey? key = null, AuditOptions? options = null) =>
        new(Postgres.Source, Postgres.NewStore(), AuditKeys.Of(key ?? Key), options ?? new AuditOptions(), TimeProvider.System);

    public async Task SignAsync() => Assert.NotNull(await Notary().CatchUpAsync());

    public async Task<AuditReport> VerifyAsync(VerifyOptions? options = null) => await Trail.VerifyAsync(options ?? Trusting);

    /// <summary>What somebody with every right in the database may do: foreign keys do not stop them.</summary>
    public Task AsSuperuserAsync(string sql) => Postgres.ExecuteAsync($"begin; set local session_replication_role = replica; {sql}; commit");

    /// <summary>Everything, or the tables named, as they were after the last signature.</summary>
    public Task RestoreAsync(params string[] tables) =>
        AsSuperuserAsync(string.Join(';', (tables.Length == 0 ? Tables : tables).Select(t => $"delete from {t}; insert into {t} table kept_{t}")));

    public static Guid IdOf(int at) => new($"00000000-0000-7000-8000-{at:x12}");

    private async Task TruncateAsync()
    {
        await using var store = new PostgresEventStore(Postgres.Source, Facts.Serializer, new ManualTime(Morning), new() { OrderKey = Key });
        for (var at = 0; at < Truncated; at++) await store.AppendToStreamAsync("acme", $"gone-{at}", ExpectedVersion.Any, Facts.Raised(3, at));
        for (var at = 0; at < Filed; at++)
        {
            await store.AppendToStreamAsync("acme", $"filed-{at}", ExpectedVersion.Any, Facts.Raised(2, at));
            await store.ArchiveStreamAsync("acme", $"filed-{at}");
        }
        await SignAsync();
        await FileAsync();
        for (var at = 0; at < Truncated; at++) await store.TruncateStreamAsync("acme", $"gone-{at}", 3, new TruncationReason("asked to", at == 1 ? null : "officer", EvenUnread: true));
        await SignAsync();
    }

    private async Task FileAsync()
    {
        var files = new StreamFiles(Postgres.Source, _files, new ManualTime(Morning.AddMinutes(2)), new() { OrderKey = Key });
        Assert.Equal(Filed, (await files.ArchiveAsync(new FileArchivePolicy(TimeSpan.Zero) { Tenant = "acme" })).Streams);
        await files.RestoreAsync("acme", "filed-0");
    }

    private async Task AppendAsync(int at)
    {
        var tenant = (at % 3) switch { 0 => "acme", 1 => "globex", _ => "ünlü" };
        var stream = $"call-{at % 7}";
        var clock = new ManualTime(Morning.AddSeconds(at));
        await using var store = new PostgresEventStore(Postgres.Source, Facts.Serializer, clock);
        var metadata = at % 2 == 0
            ? new EventMetadata($"corr-{at}", $"cause-{at}", "ayşe", null, new Dictionary<string, string> { ["k"] = $"v{at}" })
            : EventMetadata.None;
        object fact = at % 4 == 0 ? new NoteTaken($"çağrı {at}") : new CounterRaised(at);
        await store.AppendToStreamAsync(tenant, stream, ExpectedVersion.Any, [new EventData(IdOf(at), fact, metadata)], new AppendOptions(AggregateType: at % 5 == 0 ? "call" : null));
        if (at % 6 == 0) await Postgres.ExecuteAsync($"update mt_events set bdata = '\\x0102{at:x2}' where id = '{IdOf(at)}'");
    }
}
