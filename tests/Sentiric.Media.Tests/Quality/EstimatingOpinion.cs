namespace Sentiric.Media.Tests;

public class EstimatingOpinion
{
    [Theory]
    [InlineData(0, 94.2)]
    [InlineData(100, 91.8)]       // 94.2 - 0.024 * 100
    [InlineData(277.3, 76.5448)]  // 94.2 - 0.024 * 277.3 - 0.11 * 100
    public void Delay_costs_what_G107_says(double delayMs, double r) => Assert.Equal(r, EModel.R(delayMs, 0), 4);

    [Theory]
    [InlineData(1, 3.6398)]       // 95 * 1 / (1 + 25.1)
    [InlineData(5, 15.7807)]
    public void Loss_costs_what_G113_says(double percent, double cost) => Assert.Equal(94.2 - cost, EModel.R(0, percent), 3);

    [Theory]
    [InlineData(-3, 1)]
    [InlineData(0, 1)]
    [InlineData(50, 2.575)]
    [InlineData(80, 4.024)]
    [InlineData(100, 4.5)]
    public void R_maps_to_MOS_as_in_annex_B(double r, double mos) => Assert.Equal(mos, EModel.Mos(r), 3);

    [Fact]
    public void A_clean_call_is_above_4_3_and_five_percent_of_loss_keeps_3_4()
    {
        Assert.True(EModel.Mos(EModel.R(80, 0)) >= 4.3);
        Assert.True(EModel.Mos(EModel.R(80, 5)) >= 3.4);
    }
}
