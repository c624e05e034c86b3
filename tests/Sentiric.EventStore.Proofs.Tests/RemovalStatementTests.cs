using Xunit;

namespace Sentiric.EventStore.Proofs.Tests;

/// <summary>Statements about removals in both forms: the first says nothing of an order.</summary>
public sealed class RemovalStatementTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 17, 12, 0, 0, TimeSpan.Zero);
    private static readonly string Leaf = new('a', 64), Previous = new('0', 64);

    [Theory]
    [InlineData(null, "sentiric.audit.removal.1\n")]
    [InlineData(RemovalStatement.NoOrder, "sentiric.audit.removal.2\n")]
    [InlineData("0123456789abcdef", "sentiric.audit.removal.2\n")]
    public void A_statement_is_read_back_as_it_was_written(string? order, string title)
    {
        var statement = new RemovalStatement(7, Leaf, Previous, Noon, "fedcba9876543210", order);
        Assert.StartsWith(title, statement.Text, StringComparison.Ordinal);
        Assert.Equal(statement, RemovalStatement.Parse(statement.Text));
    }

    [Fact]
    public void An_order_cannot_be_left_out_added_or_put_elsewhere()
    {
        var (first, second) = (new RemovalStatement(7, Leaf, Previous, Noon, "k").Text, new RemovalStatement(7, Leaf, Previous, Noon, "k", "none").Text);
        string[] wrong =
        [
            second.Replace("order none\n", "", StringComparison.Ordinal), first.Replace("previous", "order none\nprevious", StringComparison.Ordinal),
            second.Replace("removal.2", "removal.1", StringComparison.Ordinal), first.Replace("removal.1", "removal.2", StringComparison.Ordinal),
            second.Replace("removal.2", "removal.3", StringComparison.Ordinal), second + "\n", second.TrimEnd('\n'), second.Replace("removal 7", "removal 07", StringComparison.Ordinal), "",
        ];
        Assert.All(wrong, text => Assert.Null(RemovalStatement.Parse(text)));
    }
}
