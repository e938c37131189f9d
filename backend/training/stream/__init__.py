"""The endless stream of training quadruples [T, A_d, A_s, N], made from the packed skins."""
