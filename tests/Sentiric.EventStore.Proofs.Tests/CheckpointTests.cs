using System.Security.Cryptography;

namespace Sentiric.EventStore.Proofs.Tests;

/// <summary>Statements, keys and how trust passes from one key to the next.</summary>
public sealed class CheckpointTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static readonly Checkpoint Sample = new(
        7, 101, 164, 60, new string('a', 64), new string('b', 64), 12, new string('c', 64), Checkpoint.NoPrevious, Noon.AddTicks(1_234_560), "0123456789abcdef");

    [Fact]
    public void A_statement_is_read_back_as_it_was_written() => Assert.Equal(Sample, Checkpoint.Parse(Sample.Text));

    [Fact]
    public void A_statement_that_differs_in_one_character_is_none_or_another()
    {
        for (var at = 0; at < Sample.Text.Length; at++)
        {
            var bent = Sample.Text.Remove(at, 1).Insert(at, Sample.Text[at] == '0' ? "1" : "0");
            Assert.NotEqual(Sample, Checkpoint.Parse(bent));
            Assert.Null(Checkpoint.Parse(Sample.Text.Remove(at, 1)) is { } shorter && shorter.Text != Sample.Text.Remove(at, 1) ? shorter : null);
        }
        Assert.Null(Checkpoint.Parse(Sample.Text + "\n"));
        Assert.Null(Checkpoint.Parse(Sample.Text.Replace("\n", "\r\n")));
        Assert.Null(Checkpoint.Parse(""));
    }

    [Fact]
    public void An_anchor_survives_as_one_line()
    {
        using var key = AuditKey.Create();
        var signed = new SignedCheckpoint(Sample.Text, key.Sign(Sample.Text));
        var read = SignedCheckpoint.OfLine(signed.ToLine());
        Assert.DoesNotContain('\n', signed.ToLine());
        Assert.Equal(signed.Statement, read?.Statement);
        Assert.True(key.Public.Signed(read!.Statement, read.Signature));
        Assert.Null(SignedCheckpoint.OfLine("not a line"));
    }

    [Fact]
    public void A_key_file_is_made_once_and_only_its_owner_may_read_it()
    {
        var folder = Directory.CreateTempSubdirectory("audit-key").FullName;
        var path = Path.Combine(folder, "deeper", "audit-key.pem");
        using var first = AuditKey.OfFile(path);
        using var second = AuditKey.OfFile(path);
        Assert.Equal(first.Id, second.Id);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(["audit-key.pem"], Directory.GetFiles(Path.GetDirectoryName(path)!).Select(Path.GetFileName));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Many_processes_that_start_at_once_share_one_key()
    {
        var folder = Directory.CreateTempSubdirectory("audit-key").FullName;
        var ids = new string[8];
        Parallel.For(0, ids.Length, i =>
        {
            using var key = AuditKey.OfFile(Path.Combine(folder, "key.pem"));
            ids[i] = key.Id;
        });
        Assert.Single(ids.Distinct());
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Only_keys_of_the_right_curve_are_taken()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Throws<CryptographicException>(() => AuditKey.OfPem(other.ExportPkcs8PrivateKeyPem()));
        Assert.Throws<CryptographicException>(() => AuditPublicKey.OfPem(other.ExportSubjectPublicKeyInfoPem()));
        Assert.ThrowsAny<Exception>(() => AuditKey.OfPem("no key"));
        using var key = AuditKey.Create();
        Assert.ThrowsAny<CryptographicException>(() => AuditKey.OfPem(key.Public.Pem));
    }

    [Fact]
    public void Trust_passes_along_endorsements_and_nowhere_else()
    {
        using var first = AuditKey.Create();
        using var second = AuditKey.Create();
        using var third = AuditKey.Create();
        using var stranger = AuditKey.Create();
        KeyRecord[] records =
        [
            KeyRecord.Endorse(third.Public, second, Noon), KeyRecord.Endorse(second.Public, first, Noon), KeyRecord.Endorse(first.Public, first, Noon),
            KeyRecord.Endorse(stranger.Public, stranger, Noon),
        ];
        var fromFirst = new KeyTrust(records, [first.Public]);
        Assert.True(fromFirst.Counts(second.Id) && fromFirst.Counts(third.Id));
        Assert.False(fromFirst.Counts(stranger.Id));
        Assert.Empty(fromFirst.Faults);
        var fromThird = new KeyTrust(records, [third.Public]);
        Assert.False(fromThird.Counts(first.Id));
        Assert.NotNull(fromThird.Find(first.Id));
    }

    [Fact]
    public void A_key_record_that_was_changed_in_any_field_is_told()
    {
        using var first = AuditKey.Create();
        using var second = AuditKey.Create();
        var sound = KeyRecord.Endorse(second.Public, first, Noon);
        KeyRecord[] bent =
        [
            sound with { KeyId = first.Id }, sound with { PublicKey = first.Public.Info }, sound with { IntroducedAt = Noon.AddTicks(10) },
            sound with { EndorsedBy = second.Id }, sound with { Endorsement = second.Sign(sound.Text) }, sound with { PublicKey = [1, 2, 3] },
        ];
        Assert.All(bent, record => Assert.NotEmpty(new KeyTrust([record], [first.Public]).Faults));
        Assert.All(bent, record => Assert.False(new KeyTrust([record], [first.Public]).Counts(second.Id)));
    }

    [Theory]
    [InlineData(0, "2000-01-01T00:00:00.000000Z")]
    [InlineData(-1, "1999-12-31T23:59:59.999999Z")]
    [InlineData(long.MaxValue, "infinity")]
    [InlineData(long.MinValue, "-infinity")]
    [InlineData(8_000_000_000_000_000_000, "@8000000000000000000")]
    public void Every_moment_that_PostgreSQL_keeps_has_a_text(long microseconds, string text)
    {
        Assert.Equal(text, AuditTime.Text(microseconds));
        Assert.Equal(microseconds, AuditTime.Parse(text));
    }
}
