using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace Sentiric.EventStore.Tests.Privacy;

public sealed class SealedStateTests
{
    private static readonly SnapshotPlace Place = new(new StreamAddress("t", "room"), "visitors", 1, 7);
    private static readonly byte[] NameKey = RandomNumberGenerator.GetBytes(MasterKeys.KeyBytes);
    private static readonly SubjectKey A = Key("a"), B = Key("b");

    private static SubjectKey Key(string who) => new(new SubjectId("t", who), SealedText.NewKeyId(), RandomNumberGenerator.GetBytes(MasterKeys.KeyBytes));

    private static byte[] Sealed(params SubjectKey[] keys) => SealedState.Seal("{\"Text\":\"merhaba\"}"u8, Place, NameKey, keys);

    private static string? Open(byte[] whole, SnapshotPlace place, byte[] nameKey, params SubjectKey[] keys) =>
        SealedState.Open(whole, place, nameKey, keys) is { } plain ? Encoding.UTF8.GetString(plain) : null;

    [Fact]
    public void It_takes_the_keys_of_all_persons_to_open_a_state()
    {
        Assert.Contains("merhaba", Open(Sealed(A, B), Place, NameKey, A, B), StringComparison.Ordinal);
        Assert.Null(Open(Sealed(A, B), Place, NameKey, A));
        Assert.Null(Open(Sealed(A, B), Place, NameKey, B));
        Assert.Null(Open(Sealed(A, B), Place, NameKey));
        // The id alone is no key.
        Assert.Null(Open(Sealed(A, B), Place, NameKey, A, B with { Key = new byte[MasterKeys.KeyBytes] }));
        Assert.Null(Open(Sealed(A, B), Place, new byte[MasterKeys.KeyBytes], A, B));
    }

    [Fact]
    public void A_state_of_nobody_is_sealed_with_the_key_of_the_names()
    {
        Assert.Contains("merhaba", Open(Sealed(), Place, NameKey), StringComparison.Ordinal);
        Assert.Null(Open(Sealed(), Place, new byte[MasterKeys.KeyBytes]));
        Assert.DoesNotContain("merhaba", Encoding.UTF8.GetString(Sealed()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_opens_only_where_it_belongs_and_as_it_was()
    {
        SnapshotPlace[] others =
        [
            Place with { Version = 8 }, Place with { Shape = 2 }, Place with { Name = "visitor" }, Place with { Address = new StreamAddress("t", "room2") },
            Place with { Address = new StreamAddress("u", "room") },
        ];
        Assert.All(others, other => Assert.Null(Open(Sealed(A), other, NameKey, A)));
        var whole = Sealed(A);
        for (var i = 0; i < whole.Length; i++)
        {
            var changed = whole.ToArray();
            changed[i] ^= 1;
            Assert.Null(Open(changed, Place, NameKey, A));
        }
        Assert.Null(Open(whole[..20], Place, NameKey, A));
        Assert.Null(Open([], Place, NameKey, A));
    }

    [Fact]
    public void The_same_state_is_never_sealed_twice_alike() => Assert.NotEqual(Sealed(A), Sealed(A));
}
