using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>
/// The number under which a Marten daemon locks a shard: |hash("schema:identity")| + 4444 in 32-bit arithmetic.
/// The expected numbers were computed by hand from the definition, step by step, outside this code.
/// </summary>
public sealed class ShardLockTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    [Theory]
    [InlineData("", 757_602_046)]
    [InlineData("a", -842_352_707)]
    [InlineData("ab", 938_310_215)]
    [InlineData("public:Trip:All", 255_102_191)]
    [InlineData("events:Day:V3:All", -18_231_315)]
    [InlineData("çağrı:ı", -1_356_616_647)]
    public void The_hash_is_the_published_one(string text, int expected) => Assert.Equal(expected, MartenHash.Of(text));

    [Theory]
    [InlineData("public", "CallView", 1, 1_974_529_785)]
    [InlineData("public", "CallView", 2, 727_678_599)]
    [InlineData("calls", "CallView", 1, 2_123_625_995)]
    public void The_number_belongs_to_schema_projection_and_version(string schema, string projection, int version, long expected) =>
        Assert.Equal(expected, ShardLock.IdOf(schema, ShardName.Of(projection, version)));

    [Fact]
    public async Task A_daemon_that_holds_the_number_keeps_ours_out()
    {
        await using var marten = await postgres.Source.OpenConnectionAsync();
        await using var transaction = await marten.BeginTransactionAsync();
        await using var take = new Npgsql.NpgsqlCommand($"select pg_try_advisory_xact_lock(1974529785)", marten);
        Assert.Equal(true, await take.ExecuteScalarAsync());
        var checkpoints = new PostgresCheckpointStore(postgres.Source);
        Assert.Null(await checkpoints.TryOwnAsync(ShardName.Of("CallView")));

        await transaction.RollbackAsync();
        await using var lease = await checkpoints.TryOwnAsync(ShardName.Of("CallView"));
        Assert.NotNull(lease);
    }
}
