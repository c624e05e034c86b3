using System.Security.Cryptography;
using System.Text.Json;
using Sentiric.EventStore.Proofs;

namespace Sentiric.Cli.Commands.Events;

/// <summary>Checks a proof with nothing but a public key: no platform, no database.</summary>
internal static class VerifyProofVerb
{
    public static EventsVerb Verb { get; } = new(
        "verify-proof",
        """
        sentiric events verify-proof FILE --key PUBLIC.pem [--checkpoints FILE]
        Checks a proof from 'events prove' without a platform. The key must have come from elsewhere than the proof; 'events checkpoints --keys' prints it.
        --checkpoints: lines from 'events checkpoints' that were kept; the proof's own checkpoint must be one of them.
        """,
        ["--key", "--checkpoints"], [], (session, _) => Task.FromResult(Run(session)));

    private static int Run(Session session)
    {
        var file = session.Arguments.Word(1, "the proof file");
        session.Arguments.NoMoreThan(2);
        try
        {
            var key = Key(session.Arguments.Needed("--key"));
            var proof = StreamProof.OfJson(File.ReadAllText(file));
            List<string> faults = [.. proof.Check([key])];
            if (session.Arguments.Option("--checkpoints") is { } kept && !File.ReadLines(kept).Any(l => SignedCheckpoint.OfLine(l)?.Statement == proof.Checkpoint.Statement))
                faults.Add($"the checkpoint of the proof is not among those in {kept}");
            return Print(session, proof, faults);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException("file.unreadable", e.Message);
        }
        catch (JsonException e)
        {
            throw new CliException("proof.unreadable", $"{file}: {e.Message}");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CliException("key.unreadable", $"{session.Arguments.Option("--key")} holds no P-256 key in PEM: {e.Message}");
        }
    }

    // After a change of keys the platform tells several; which of them to believe is for whoever compared its id.
    private static AuditPublicKey Key(string file)
    {
        var pem = File.ReadAllText(file);
        return pem.Split("-----BEGIN").Length > 2
            ? throw new CliException("key.several", $"{file} holds several keys. Keep the one whose id you compared with the operator: it vouches for those that came after it.")
            : AuditPublicKey.OfPem(pem);
    }

    private static int Print(Session session, StreamProof proof, List<string> faults)
    {
        var terminal = session.Terminal;
        foreach (var fault in faults) terminal.Line(terminal.Paint(fault, Colour.Red));
        if (faults.Count > 0)
        {
            terminal.Line(terminal.Paint("The proof does not hold.", Colour.Red));
            return Cli.Failed;
        }

        var statement = proof.Checkpoint.Read();
        terminal.Line(FormattableString.Invariant($"{proof.Stream} of tenant {proof.Tenant}: {proof.Events.Count} events up to version {proof.Version}, signed {statement?.SignedAt:u} in block {statement?.Number} with key {statement?.KeyId}"));
        if (proof.Events.Count(e => e.Leaf is not null) is > 0 and var gone) terminal.Line($"{gone} of them were removed since; their hashes are part of the proof, their contents are not");
        if (proof.Pending > 0) terminal.Line($"{proof.Pending} later events were not signed yet");
        terminal.Line(terminal.Paint("The proof holds.", Colour.Green));
        return Cli.Ok;
    }
}
