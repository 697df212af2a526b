"""k-reciprocal re-ranking in bounded memory (Zhong et al., CVPR 2017)."""
