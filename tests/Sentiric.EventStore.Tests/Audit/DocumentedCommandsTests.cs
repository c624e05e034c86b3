using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;
using Sentiric.EventStore.Proofs;
using Sentiric.Testing;
using Sentiric.Testing.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Audit;

/// <summary>What docs/audit.md and docs/privacy.md tell an auditor to type, taken out of the documents and run as it stands: programs of others check what we wrote.</summary>
public sealed partial class DocumentedCommandsTests(AuditedStore store) : IClassFixture<AuditedStore>, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly string _folder = Directory.CreateTempSubdirectory("by-hand").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [ProgramsFact]
    public async Task The_signature_of_a_checkpoint_is_checked_by_openssl()
    {
        await KeepCheckpointsAsync();
        var recipe = Recipe("audit.md", "anchors.ndjson");
        Assert.Equal("Verified OK", (await RunAsync(recipe)).Trim());
        var statement = await File.ReadAllTextAsync(Path.Combine(_folder, "statement.txt"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "statement.txt"), statement.Replace("block 6", "block 7", StringComparison.Ordinal));
        await Assert.ThrowsAsync<CommandFailed>(() => RunAsync(recipe.Split('\n')[^1]));
    }

    [ProgramsFact]
    public async Task Two_lines_belong_together_by_the_sum_of_the_first()
    {
        await KeepCheckpointsAsync();
        var lines = (await File.ReadAllLinesAsync(Path.Combine(_folder, "anchors.ndjson"))).Select(l => SignedCheckpoint.OfLine(l)!.Read()!).ToList();
        await File.WriteAllTextAsync(Path.Combine(_folder, "statement.txt"), lines[^2].Text);
        Assert.StartsWith(lines[^1].Previous, await RunAsync(Inline("audit.md", "sha256sum statement.txt")), StringComparison.Ordinal);
    }

    [ProgramsFact]
    public async Task The_id_of_a_key_is_the_beginning_of_the_sum_of_its_public_part()
    {
        await KeepCheckpointsAsync();
        Assert.StartsWith(store.Key.Id, await RunAsync(Inline("audit.md", "openssl pkey")), StringComparison.Ordinal);
    }

    [ProgramsFact]
    public async Task The_leaf_of_an_event_is_made_by_psql_and_sha256sum()
    {
        const long position = 42;
        var owner = (await store.Postgres.LinesAsync($"select tenant_id, stream_id from mt_events where seq_id = {position}"))[0].Split(" | ");
        var proof = await store.Trail.ProveAsync(owner[0], owner[1]);
        var leaf = AuditHash.Hex(proof.Events.Single(e => e.Position == position).LeafHash(owner[0], owner[1])!);
        Assert.StartsWith(leaf, await RunAsync(Recipe("audit.md", "sentiric.audit.event.1")), StringComparison.Ordinal);
    }

    [ProgramsFact]
    public async Task The_signature_of_a_truncations_record_is_checked_by_openssl()
    {
        await KeepCheckpointsAsync();
        Assert.Equal("Verified OK", (await RunAsync(Recipe("audit.md", "sx_audit_removal"))).Trim());
    }

    [ProgramsFact]
    public async Task The_signature_of_a_receipt_is_checked_by_openssl()
    {
        await KeepCheckpointsAsync();
        var receipt = new MasterKeySigner(MasterKeys.Parse(MasterKeys.NewKey("first")), store.Key).Signed(new ErasureReceipt(
            Guid.NewGuid(), "acme", "hash", "başvuru", "officer", default, default, default, 1, 1, new Dictionary<string, long> { ["recordings"] = 2 }, []));
        // The members that the API's answer has.
        var answer = new JsonObject { ["receipt"] = new JsonObject { ["receipt"] = receipt.Receipt, ["audit_signature"] = receipt.Audit!.Signature } };
        await File.WriteAllTextAsync(Path.Combine(_folder, "answer.json"), answer.ToJsonString());
        Assert.Equal("Verified OK", (await RunAsync(Recipe("privacy.md", "audit_signature"))).Trim());
    }

    [ProgramsFact]
    public async Task A_master_key_is_made_as_documented() =>
        Assert.True(MasterKeys.Parse((await RunAsync(Inline("privacy.md", "printf 'first:"))).Trim()).Has("first"));

    [Fact]
    public void Every_shell_block_of_the_documents_is_run_here() =>
        Assert.Equal(4, Blocks("audit.md").Count + Blocks("privacy.md").Count);

    /// <summary>What `events checkpoints` and `events checkpoints --keys` write.</summary>
    private async Task KeepCheckpointsAsync()
    {
        var lines = await store.Trail.CheckpointsAsync().Select(c => c.ToLine()).ToListAsync();
        await File.WriteAllLinesAsync(Path.Combine(_folder, "anchors.ndjson"), lines);
        await File.WriteAllTextAsync(Path.Combine(_folder, "pub.pem"), store.Key.Public.Pem);
    }

    private static string Recipe(string document, string mark) => Assert.Single(Blocks(document), b => b.Contains(mark, StringComparison.Ordinal));

    private static List<string> Blocks(string document) => [.. ShellBlock().Matches(Text(document)).Select(m => m.Groups[1].Value.TrimEnd())];

    private static string Inline(string document, string beginning) =>
        Assert.Single(InlineCode().Matches(Text(document)).Select(m => m.Groups[1].Value), c => c.StartsWith(beginning, StringComparison.Ordinal));

    private static string Text(string document) => File.ReadAllText(Repository.PathOf("docs", document)).ReplaceLineEndings("\n");

    private async Task<string> RunAsync(string script)
    {
        var start = new ProcessStartInfo("bash") { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "-euo", "pipefail", "-c", script }) start.ArgumentList.Add(argument);
        PostgresPrograms.Prepare(start);
        var address = new NpgsqlConnectionStringBuilder(store.Postgres.ConnectionString);
        start.Environment["PATH"] = Path.GetDirectoryName(PostgresPrograms.Find("psql")) + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH");
        start.Environment["PGHOST"] = address.Host;
        start.Environment["PGPORT"] = address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        start.Environment["PGUSER"] = address.Username;
        start.Environment["PGDATABASE"] = address.Database;
        if (address.Password is { } password) start.Environment["PGPASSWORD"] = password;
        using var process = Process.Start(start) ?? throw new InvalidOperationException("bash did not start.");
        using var patience = new CancellationTokenSource(Limit);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
        await process.WaitForExitAsync(patience.Token);
        return process.ExitCode == 0 ? await output : throw new CommandFailed($"{script}\nended with {process.ExitCode}: {await output}{await errors}");
    }

    [GeneratedRegex("^```sh\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex ShellBlock();

    [GeneratedRegex("`([^`\n]+)`", RegexOptions.CultureInvariant)]
    private static partial Regex InlineCode();

    private sealed class CommandFailed(string what) : Exception(what);

    /// <summary>Runs where an auditor's programs are installed.</summary>
    private sealed class ProgramsFactAttribute : FactAttribute
    {
        private static readonly string[] Needed = ["bash", "openssl", "jq", "sha256sum", "base64"];

        public ProgramsFactAttribute()
        {
            var missing = Needed.Where(p => !(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(d => File.Exists(Path.Combine(d, p)))).ToList();
            if (missing.Count > 0) Skip = $"Not installed here: {string.Join(", ", missing)}.";
        }
    }
}
